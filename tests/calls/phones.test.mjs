// A customer and two agents, each with a real telephone (baresip): the customer calls in, keys go both ways, the agent's phone holds and takes
// back, and the customer is sent on. What everybody heard is judged by its content.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { listen } from '../load/recordings.mjs';
import { RATE } from '../support/audio.mjs';
import { Desk } from '../support/desk.mjs';
import { DeskPhone } from '../support/desk_phone.mjs';
import { openHouse, PASSWORD } from '../support/house.mjs';
import { recognise, SENTENCES, sayForLong } from '../support/speech.mjs';
import { LONG_ENOUGH } from '../support/story.mjs';

const PHONE_PASSWORD = 'slow-Train-to-9-Elms';
const AGENTS = { mei: 'agent', tom: 'colleague' };
const HOLD = 4;
/** What waits for them on hold, hertz. */
const MUSIC = 700;
const music = Float32Array.from({ length: RATE }, (_, i) => 0.25 * Math.sin((2 * Math.PI * MUSIC * i) / RATE));

/** One call by each transport, all at the same time, each with agents of its own. */
const TRANSPORTS = ['udp', 'tcp', 'tls'];
const did = (transport) => `+44207946010${TRANSPORTS.indexOf(transport)}`;
const caller = (transport) => `+44770090010${TRANSPORTS.indexOf(transport)}`;
const user = (name, transport) => `${name}-${transport}`;

const floor = `
[trunks.carrier]
hosts = ["127.0.0.1:5099"]
options_every = "off"

${TRANSPORTS.map((transport, t) => `
[[numbers]]
did = "${did(transport)}"
group = "mei-${transport}"
${Object.keys(AGENTS).map((name, n) => `
[groups.${user(name, transport)}]
wrap_up = "off"
welcome = "silence"
music = "hold"

[phones.${user(name, transport)}]
user = "${user(name, transport)}"
register = true
md5 = true
password_env = "PHONE_PASSWORD"

[agents."${user(name, transport)}@example.com"]
number = "${2000 + 10 * t + n}"
name = "${user(name, transport)}"
groups = ["${user(name, transport)}"]
phone = "${user(name, transport)}"
password_env = "AGENT_PASSWORD"
`).join('')}`).join('')}`;

// Each phone is ended with the process.
process.setMaxListeners(30);

let house, cookie;
const phones = [];
const desks = [];
const began = Date.now();

before(async () => {
  ({ house, cookie } = await openHouse(floor, { environment: { PHONE_PASSWORD }, sounds: { hold: music } }));
});

after(async () => {
  await Promise.all(phones.map((phone) => phone.switchOff()));
  for (const desk of desks) desk.close();
  await house?.stop();
});

async function phone(transport, user, password, sentence) {
  const secure = transport === 'tls';
  const port = secure ? house.sipTlsPort : house.sipPort;
  const certificate = secure ? house.certificate : undefined;
  const opened = await DeskPhone.open({ user, password, transport, port, certificate, speech: sayForLong(SENTENCES[sentence]) });
  phones.push(opened);
  return Object.assign(opened, { port });
}

/** An agent with desk and phone, available. */
async function agent(transport, name) {
  const desk = await Desk.open(house.url, { email: `${user(name, transport)}@example.com`, password: PASSWORD });
  desks.push(desk);
  const own = await phone(transport, user(name, transport), PHONE_PASSWORD, AGENTS[name]);
  await own.registered();
  await desk.choose('available');
  return { desk, phone: own };
}

const passes = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The key that this phone receives next. */
async function key(phone, press) {
  const from = phone.events.length;
  press();
  return (await phone.tells('CALL_DTMF_START', from)).param;
}

// C8, D2, D4, D7, G1
describe('telephones that others wrote', { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    test(`by ${transport}: a customer is answered, presses keys and hears some, is held by the agent’s phone, and is sent on`, async () => {
      const [mei, tom] = await Promise.all([agent(transport, 'mei'), agent(transport, 'tom')]);
      const customer = await phone(transport, caller(transport), undefined, 'caller');
      customer.dial(`sip:${did(transport)}@127.0.0.1:${customer.port};transport=${transport}`);
      await mei.phone.tells('CALL_INCOMING');
      mei.phone.lift();
      await mei.desk.session({ phase: 'talking' });
      await passes(LONG_ENOUGH);
      assert.equal(await key(mei.phone, () => customer.press('7')), '7');
      assert.equal(await key(customer, () => mei.phone.press('#')), '#');

      mei.phone.hold();
      await mei.desk.session({ held: true });
      await passes(HOLD);
      mei.phone.resume();
      await mei.desk.session({ held: false });

      await mei.desk.inCall('transfer', { to: await mei.desk.target('agent', user('tom', transport)) });
      await mei.phone.tells('CALL_CLOSED');
      await tom.phone.tells('CALL_INCOMING');
      tom.phone.lift();
      await tom.desk.session({ phase: 'talking' });
      await passes(LONG_ENOUGH);
      customer.hangUp();
      await Promise.all([tom.phone.tells('CALL_CLOSED'), customer.tells('CALL_CLOSED')]);

      const heard = customer.heard();
      const sentences = await recognise(heard);
      assert.ok([SENTENCES.agent, SENTENCES.colleague].every((sentence) => sentences.includes(sentence)), `the customer heard: ${sentences.join(' / ')}`);
      const { own } = listen(heard, MUSIC, []);
      assert.ok(own > HOLD / 2, `the customer heard ${own} s of music`);
      for (const { phone } of [mei, tom]) {
        const sentences = await recognise(phone.heard());
        assert.ok(sentences.includes(SENTENCES.caller), `an agent heard: ${sentences.join(' / ')}`);
      }
      await onRecord(transport);
    });
  }
});

async function onRecord(transport) {
  const ask = `${house.url}api/v1/records?from=${began}&caller=${encodeURIComponent(caller(transport))}`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { items } = await (await fetch(ask, { headers: { cookie } })).json();
    const [first, second] = items.sort((a, b) => a.id.localeCompare(b.id));
    if (second) {
      assert.deepEqual([first.status, first.hungUpBy, first.agent], ['agent_transfer', 'agent', user('mei', transport)]);
      assert.deepEqual([second.status, second.hungUpBy, second.agent], ['normal_end', 'customer', user('tom', transport)]);
      assert.ok(Math.abs(first.hold - HOLD * 1000) < 2000, `on hold for ${first.hold} ms`);
      return;
    }
    if (Date.now() > deadline) assert.fail(`the records are ${JSON.stringify(items)}`);
    await passes(0.1);
  }
}
