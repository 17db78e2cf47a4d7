// A new agent's way to the first call (A1, A2), a login by SMS (A3, A4), a forgotten password (A5), another number (A7): with a mail
// server and an SMS gateway that are spoken to as real ones are.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { SmsGateway } from '../support/sms_gateway.mjs';
import { SmtpSink } from '../support/smtp_sink.mjs';
import { SENTENCES, say } from '../support/speech.mjs';
import { step } from '../support/story.mjs';
import { Switch } from '../support/switch.mjs';
import { Workstation } from '../support/workstation.mjs';

const FLOOR = `
[groups.Orders]
[agents."ada@example.com"]
number = "1000"
name = "Ada Admin"
role = "admin"
password_env = "AGENT_PASSWORD"
`;
const PASSWORD = 'blue-Kettle-42';
const NUMBER = '+44 7700 900162';
const ANOTHER = '+44 7700 900163';

let mails;
let gateway;
let cordboard;
let browser;
before(async () => {
  [mails, gateway] = await Promise.all([SmtpSink.open(), SmsGateway.open()]);
  cordboard = await Switch.create({
    floor: FLOOR,
    environment: {
      AGENT_PASSWORD: PASSWORD,
      CORDBOARD_MAIL__SMTP_URL: mails.url,
      CORDBOARD_MAIL__FROM: 'Cordboard <calls@example.com>',
      CORDBOARD_SMS__URL: gateway.url,
      CORDBOARD_SMS__BODY: 'to={number}&text={text}',
    },
  });
  browser = await openBrowser(say(SENTENCES.agent, { rate: 48_000 }));
});
after(async () => {
  await browser?.close();
  await cordboard?.stop();
  gateway?.close();
  mails?.close();
});

test('a new agent completes the account and goes online; logs in by SMS; recovers a forgotten password; changes the number', async () => {
  let oneTime;
  await step('the admin makes the account, and its one-time password is mailed', async () => {
    const admin = await Workstation.logIn(browser, cordboard.url, { email: 'ada@example.com', password: PASSWORD });
    const form = { email: 'zoe@example.com', number: '1003', name: 'Zoe Park', role: 'agent', groups: [1] };
    const status = await admin.page.evaluate(
      (body) => fetch('/api/v1/agents', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then((answer) => answer.status),
      form,
    );
    assert.equal(status, 201);
    oneTime = (await mails.next()).match(/One-time password: (\S+)/)[1];
    await logOut(admin);
    await admin.page.close();
  });

  const zoe = new Workstation(await browser.newPage());
  await step('the first login binds a number and chooses a password', async () => {
    await zoe.page.goto(cordboard.url);
    await logIn(zoe, oneTime);
    await sendCode(zoe, NUMBER);
    const code = await gateway.code();
    await zoe.hook('code').fill(otherThan(code));
    await zoe.hook('nickname').fill('Zoe');
    await zoe.hook('new-password').fill(PASSWORD);
    await zoe.click('save-account');
    await zoe.page.locator('#code-error').waitFor();
    await zoe.hook('code').fill(code);
    await zoe.click('save-account');
    await zoe.hook('state-menu').waitFor();
    await zoe.goOnline();
  });

  await step('a code logs in', async () => {
    await logOut(zoe);
    await zoe.click('by-sms');
    aMinutePasses();
    await sendCode(zoe, NUMBER);
    await zoe.hook('code').fill(await gateway.code());
    await zoe.click('submit');
    await zoe.hook('state-menu').waitFor();
  });

  await step('who forgot the password chooses another', async () => {
    await logOut(zoe);
    await zoe.click('forgot');
    aMinutePasses();
    await sendCode(zoe, NUMBER);
    await zoe.hook('code').fill(await gateway.code());
    await zoe.click('check-code');
    await zoe.hook('new-password').fill('green-Kettle-43');
    await zoe.click('save-password');
    await zoe.hook('state-menu').waitFor();
  });

  await step('the new password is the one that counts', async () => {
    await logOut(zoe);
    await logIn(zoe, PASSWORD);
    await zoe.page.locator('#password-error').waitFor();
    await logIn(zoe, 'green-Kettle-43');
    await zoe.hook('state-menu').waitFor();
  });

  await step('the profile changes the number', async () => {
    await zoe.click('state-menu');
    await zoe.click('profile-link');
    assert.equal(await zoe.hook('profile-mobile').innerText(), '+44 7700 •••• 62');
    await zoe.click('change-mobile');
    await zoe.hook('old-mobile').fill(NUMBER);
    await sendCode(zoe, ANOTHER);
    await zoe.hook('code').fill(await gateway.code());
    await zoe.click('save-mobile');
    await zoe.click('state-menu');
    await zoe.click('profile-link');
    await zoe.hook('profile-mobile').filter({ hasText: '63' }).waitFor();
  });
});

async function logIn(station, password) {
  await station.hook('email').fill('zoe@example.com');
  await station.hook('password').fill(password);
  await station.click('submit');
}

async function logOut(station) {
  await station.click('state-menu');
  await station.click('log-out');
  await station.hook('email').waitFor();
}

async function sendCode(station, number) {
  await station.hook('mobile').fill(number);
  await station.click('send-code');
  await station.hook('code').waitFor();
}

/** So that the number may have another code (A4). */
function aMinutePasses() {
  execFileSync('sqlite3', ['-cmd', '.timeout 5000', cordboard.database, 'UPDATE sms_codes SET sent_at = sent_at - 60000']);
}

function otherThan(code) {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0');
}
