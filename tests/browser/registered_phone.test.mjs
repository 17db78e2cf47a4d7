// An agent answers on a SIP phone that registers (C8): baresip is the phone, SIPp the customer. And what no decent phone sends.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { DeskPhone } from '../support/desk_phone.mjs';
import { RawPhone } from '../support/raw_phone.mjs';
import { recognise, SENTENCES, sayForLong } from '../support/speech.mjs';
import { PHONE_PASSWORD, Stage } from '../support/stage.mjs';
import { WHOLE_TURN, callerHearsAgent, step, storiesOn } from '../support/story.mjs';

const stage = new Stage();
before(() => stage.open({ phone: 'registers by MD5', misses: 1 }));
after(async () => {
  await switchOff();
  await stage.close();
});

const phones = [];
const switchOff = () => Promise.all(phones.splice(0).map((phone) => phone.switchOff()));

const onStage = storiesOn(stage);
const story = (name, tell) =>
  onStage(name, async () => {
    try {
      await tell();
    } finally {
      await switchOff();
    }
  });

async function switchOn({ transport = 'udp', password = PHONE_PASSWORD, address } = {}) {
  const phone = await DeskPhone.open({
    user: 'mei',
    password,
    address,
    transport,
    port: stage.switch.sipPort,
    speech: sayForLong(SENTENCES.agent),
  });
  phones.push(phone);
  return phone;
}

/** The customer calls; the phone rings and is lifted. */
async function talk(phone) {
  const from = phone.events.length;
  const call = await stage.customerCalls();
  await phone.tells('CALL_INCOMING', from);
  phone.lift();
  await phone.tells('CALL_ESTABLISHED', from);
  return call;
}

// By TCP and TLS as well without a page, in tests/calls.
story('a phone registers, rings, is answered and hangs up; each side hears the other', async () => {
  const phone = await switchOn();
  await phone.registered();
  const { audio, sipp } = await talk(phone);
  await stage.mei.call({ phase: 'talking' });
  await Promise.all([callerHearsAgent(audio), audio.listen(WHOLE_TURN)]);
  phone.hangUp();
  await Promise.all([sipp.ended, phone.tells('CALL_CLOSED')]);
  await stage.mei.click('return-to-reception');
  await stage.mei.state('available');
  const heard = await recognise(phone.heard());
  assert.ok(heard.includes(SENTENCES.caller), `the agent heard: ${heard.join(' / ')}`);
  const record = await stage.recordOf(stage.mei, sipp);
  assert.deepEqual([record.status, record.hungUpBy], ['normal_end', 'agent']);
});

story('a phone with a wrong password is not registered: Mei rests with that reason, until it has the right one', async () => {
  const { mei } = stage;
  // It tries and tries, until it is held up.
  const wrong = await switchOn({ password: 'slow-Train-to-8-Elms', address: '127.0.0.2' });
  assert.equal(await wrong.refused(), '503');
  await wrong.kill();
  const { sipp } = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
  await mei.hook('rests').waitFor();
  assert.match(await mei.hook('rests').innerText(), /not connected/);
  await mei.state('available');
  const right = await switchOn();
  await right.registered();
  await step('after the rest it rings', () => right.tells('CALL_INCOMING'));
  await sipp.cue();
  await Promise.all([right.tells('CALL_CLOSED'), sipp.ended]);
});

story('a phone whose connection breaks is gone at once', async () => {
  const phone = await switchOn({ transport: 'tcp' });
  await phone.registered();
  await phone.kill();
  const { sipp } = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
  await stage.mei.hook('rests').waitFor();
  assert.match(await stage.mei.hook('rests').innerText(), /not connected/);
  await sipp.cue();
  await sipp.ended;
  await stage.mei.hook('rests').waitFor({ state: 'detached', timeout: 20_000 });
});

story('a switch that was killed and started again knows where the phone is', async () => {
  const phone = await switchOn();
  await phone.registered();
  const before = await talk(phone);
  phone.hangUp();
  await before.sipp.ended;
  await stage.switch.kill();
  await stage.switch.start();
  await stage.meiAgain();
  const { audio, sipp } = await talk(phone);
  await callerHearsAgent(audio);
  phone.hangUp();
  await sipp.ended;
  await stage.meiAgain();
});

story('by hand: replays, old nonces, short and removed registrations, and nobody is told from somebody', async () => {
  const open = (user, address) => RawPhone.open({ user, password: PHONE_PASSWORD, port: stage.switch.sipPort, address });
  const phone = await open('mei', '127.0.0.3');
  const contact = `Contact: ${phone.contact}`;
  const challenge = await phone.challenge();
  assert.deepEqual([challenge.realm, challenge.algorithm, challenge.qop, challenge.stale], ['cordboard', 'MD5', 'auth', undefined]);
  const good = phone.authorization(challenge);
  const registered = await phone.send([contact, 'Expires: 300', good]);
  assert.deepEqual([registered.status, registered.contacts], [200, [`${phone.contact};expires=300`]]);
  await step('what was heard on the wire opens nothing', async () => {
    const replayed = await phone.send(['Contact: <sip:eve@127.0.0.1:9>', good]);
    assert.equal(replayed.status, 401);
    assert.match(replayed.headers['www-authenticate'], /stale=true/);
    assert.equal((await phone.send([phone.authorization(challenge, { count: 2 })])).contacts.length, 1);
  });
  await step('a nonce that is not the switch’s is stale', async () => {
    const { status, headers } = await phone.send([contact, phone.authorization({ ...challenge, nonce: 'f'.repeat(80) })]);
    assert.equal(status, 401);
    assert.match(headers['www-authenticate'], /stale=true/);
  });
  await step('too short a time is refused', async () => {
    const short = await phone.register(contact, 'Expires: 30');
    assert.deepEqual([short.status, short.headers['min-expires']], [423, '60']);
  });
  await step('all contacts go at once', async () => {
    assert.equal((await phone.register('Contact: *')).status, 400);
    const gone = await phone.register('Contact: *', 'Expires: 0');
    assert.deepEqual([gone.status, gone.contacts], [200, []]);
  });
  await step('a stranger is challenged and refused as Mei with a wrong password is', async () => {
    const eve = await open('eve', '127.0.0.3');
    const answers = [];
    for (const [who, password] of [[phone, 'wrong'], [eve, PHONE_PASSWORD]]) {
      const { nonce, ...asked } = await who.challenge();
      const { status, headers } = await who.send([contact, who.authorization({ nonce, ...asked }, { password })]);
      answers.push({ asked, status, names: Object.keys(headers), stale: headers['www-authenticate'].includes('stale') });
    }
    assert.deepEqual(answers[0], answers[1]);
    eve.close();
  });
  await step('five wrong tries, and the sixth is not looked at', async () => {
    const tries = [];
    while (tries.length < 5) tries.push((await phone.send([phone.authorization(await phone.challenge(), { password: 'wrong' })])).status);
    const held = await phone.register(contact);
    assert.deepEqual([tries, held.status], [[401, 401, 401, 401, 503], 503]);
    assert.ok(Number(held.headers['retry-after']) > 0);
  });
  phone.close();
});
