// Agents' own mobiles: they answer calls, begin calls out, and are called where a colleague is not online. SIPp is the carrier, the customers and
// the mobiles. Who is heard is judged by what they say.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { CallerAudio } from '../support/caller_audio.mjs';
import { Desk, logIn } from '../support/desk.mjs';
import { openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import { ack, answered, bye, cue, invite, scenario } from '../support/scenario.mjs';
import { answersBefore, openPhone, openPhonesInTurn, placeCall } from '../support/sipp.mjs';
import { recognise, SENTENCES, spokenUlaw } from '../support/speech.mjs';
import { understands } from '../support/story.mjs';

const MEI = { email: 'mei@example.com', password: PASSWORD };
const TOM = { email: 'tom@example.com', password: PASSWORD };
const DID = '+442079460100';
const MOBILE = '+447700900162';
const CUSTOMER = '+447700900123';
/** Longer than the prompt, which begins with the answer. */
const PROMPTED = 6.5;
/** The group's ring, in milliseconds, and room for a busy machine. */
const RUNG_OUT = 20_000;
const PROMPT = 'public <told> = a customer is calling | to take the call | press one | your call is in the queue | please stay on the line;';

const floor = (ports) => `
[settings.outbound]
agent = ["+44"]

[trunks.carrier]
hosts = ["127.0.0.1:${ports.carrier}"]
options_every = "off"

[groups.Orders]
ring = "12s"
wrap_up = "off"
welcome = "silence"

[phones.desk]
user = "desk"
addr = "127.0.0.1:${ports.desk}"

[agents."${MEI.email}"]
number = "1001"
name = "Mei"
groups = ["Orders"]
password_env = "AGENT_PASSWORD"

[agents."${TOM.email}"]
number = "1002"
name = "Tom"
groups = ["Orders"]
phone = "desk"
password_env = "AGENT_PASSWORD"

[[numbers]]
did = "${DID}"
group = "Orders"
`;

let house, ports, admin, mei, tom;
const audios = [];
const called = [];

before(async () => {
  ports = { carrier: await freePort(), desk: await freePort() };
  ({ house, cookie: admin } = await openHouse(floor(ports)));
  const cookie = await logIn(house.url, MEI);
  await bindMobile(cookie);
  await post('mobile/switches', cookie, { answering: true, outbound: null });
  // A newer login would end the older one's pages.
  [mei, tom] = [await Desk.open(house.url, MEI), await Desk.open(house.url, TOM)];
  assert.deepEqual([mei.agent.device, mei.agent.mobileAnswering, mei.agent.mobileOutbound], ['mobile', true, false]);
  await mei.choose('available');
});

after(async () => {
  await Promise.all(called.map((phone) => phone.giveUp()));
  for (const audio of audios) audio.close();
  mei?.close();
  tom?.close();
  await house?.stop();
});

async function api(path, cookie, options = {}) {
  const headers = { origin: house.url.slice(0, -1), 'content-type': 'application/json', cookie };
  const response = await fetch(`${house.url}api/v1/${path}`, { headers, ...options });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

const post = (path, cookie, form) => api(path, cookie, { method: 'POST', body: JSON.stringify(form) });

/** Binds the number by the code that was sent to it. */
async function bindMobile(cookie) {
  await post('mobile/code', cookie, { old: null, mobile: MOBILE });
  const [{ text }] = await api('sms-outbox', admin);
  await post('mobile', cookie, { old: null, mobile: MOBILE, code: text.match(/\d{6}/)[0] });
}

async function voice(sentence) {
  const audio = await CallerAudio.open(spokenUlaw(SENTENCES[sentence]));
  audios.push(audio);
  return audio;
}

/** A telephone that the switch will call. */
function telephone(kind, port, audio) {
  const phone = openPhone(kind, { port, audio });
  called.push(phone);
  return phone;
}

/** Telephones of one carrier, which the switch will call one after another. */
function telephonesInTurn(kind, audios, words) {
  const phones = openPhonesInTurn(kind, { port: ports.carrier, audios, words });
  called.push(...phones);
  return phones;
}

async function calls() {
  const audio = await voice('caller');
  const steps = scenario(invite(), answered(), ack(), cue(), bye());
  const placed = await placeCall(steps, { sipPort: house.sipPort, did: DID, caller: CUSTOMER, audio });
  called.push(placed);
  return { audio, ...placed };
}

const hearEachOther = (agent, customer) =>
  Promise.all([
    understands('the agent', SENTENCES.caller, agent.ear(), RATE),
    understands('the customer', SENTENCES.agent, customer.audio.ear(), RATE),
  ]);

async function records(since, count) {
  for (const deadline = Date.now() + 10_000; ; ) {
    const { items } = await api(`records?from=${since}`, admin);
    if (items.length >= count) return items;
    if (Date.now() > deadline) assert.fail(`the records are ${JSON.stringify(items)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const numberIsKept = (told) => assert.ok(![JSON.stringify(told), house.log].some((text) => text.includes(MOBILE)), 'nobody is told the mobile’s number');

// C7, G1, A2
test('the mobile is shown the number that the customer called, is asked for key 1, and takes the call by it', async () => {
  const began = Date.now();
  const voices = await voice('agent');
  const mobile = telephone('callee', ports.carrier, voices);
  const customer = await calls();
  const { from, to } = await mobile.rings;
  assert.ok(from.includes(DID) && !from.includes(CUSTOMER), `the mobile is shown ${from}`);
  assert.ok(to.includes(MOBILE), `called is ${to}`);
  await mei.rings();
  await mobile.cue();
  // Answered, and still in the queue.
  const told = await recognise(await voices.listen(PROMPTED), RATE, PROMPT);
  assert.ok(told.includes('a customer is calling'), `the mobile heard: ${told.join(' / ')}`);
  assert.deepEqual([mei.offer !== null, [...mei.sessions.values()].length], [true, 0], 'an answer alone takes no call');

  await voices.press('1');
  await mei.session({ phase: 'talking' });
  await hearEachOther(voices, customer);

  await customer.cue();
  await Promise.all([customer.ended, mobile.ended, mei.session({ phase: 'ended' })]);
  const [record] = await records(began, 1);
  assert.deepEqual([record.status, record.agent, record.callType], ['normal_end', 'Mei', 'inbound']);
  numberIsKept(record);
});

// C7, C5
test('a mailbox that answers takes no call: it goes on to the next agent', async () => {
  const mailbox = telephone('callee', ports.carrier, await voice('colleague'));
  const tomsVoice = await voice('agent');
  const desk = telephone('phone', ports.desk, tomsVoice);
  const customer = await calls();
  await mailbox.rings;
  await tom.choose('available');
  await mailbox.cue();
  await desk.rings;
  // The mailbox is hung up on as the next telephone rings.
  await mailbox.ended;
  await desk.cue();
  await tom.session({ phase: 'talking' });
  await hearEachOther(tomsVoice, customer);
  await customer.cue();
  await Promise.all([customer.ended, desk.ended]);
  assert.equal(mei.sessions.size, 1, 'no session of the agent whose mailbox it was');
});

/** Mei calls out; the newest session when it has begun. */
async function dials(to) {
  const before = mei.sessions.size;
  await mei.ask('dial', { to, callerId: null });
  await mei.when(() => mei.sessions.size > before, 'a session of the call out');
}

const isForMobile = ({ to }) => assert.ok(to.includes(`:${MOBILE}@`), `called is ${to}`);

// E2, G1
test('a call out rings at the mobile first, and at the customer once it is answered; both hear each other, and the record has the customer', async () => {
  await post('mobile/switches', mei.cookie, { answering: null, outbound: true });
  await mei.when(() => mei.agent.mobileOutbound, 'the switch');
  const began = Date.now();
  const voices = { own: await voice('agent'), theirs: await voice('caller') };
  const [mobile, customer] = telephonesInTurn('callee', [voices.own, voices.theirs]);
  await dials(CUSTOMER);
  const first = await mobile.rings;
  isForMobile(first);
  assert.ok(first.from.includes(DID), `the mobile is shown ${first.from}`);
  await mei.session({ phase: 'dialling' });
  await mobile.cue();
  // No key is asked for: the agent has asked for this call.
  const next = await customer.rings;
  assert.ok(next.to.includes(CUSTOMER) && next.from.includes(DID), `rung next is ${next.to}, who is shown ${next.from}`);
  assert.ok(answersBefore(mobile.trace(), MOBILE, CUSTOMER), 'the customer is not called before the mobile is answered');
  await mei.session({ phase: 'ringing' });
  await customer.cue();
  await mei.session({ phase: 'talking' });
  await hearEachOther(voices.own, { audio: voices.theirs });

  await customer.cue();
  await Promise.all([customer.ended, mei.session({ phase: 'ended', outcome: 'normal_end' })]);
  const [record, ...more] = await records(began, 1);
  assert.deepEqual(
    [record.callType, record.contact, record.caller, record.status, record.hungUpBy, record.agent, record.group, more.length],
    ['outbound', CUSTOMER, DID, 'normal_end', 'customer', 'Mei', 'Orders', 0],
  );
  numberIsKept(record);
});

// B4, E2
test('a mobile that declines, or is left alone, ends the call out: no customer is called, and agent and record are told why', async () => {
  const began = Date.now();
  const nobody = await voice('agent');
  const isOver = async (reason) => {
    const { outcome } = await mei.session({ phase: 'ended', deviceFailed: reason }, RUNG_OUT);
    assert.equal(outcome, 'agent_lost');
    await mei.when(() => mei.agent.state === 'available' && mei.agent.reason === reason, `the reason ${reason}`);
  };
  // Whoever is called is refused: a customer would take the second one's turn.
  const declining = telephonesInTurn('callee_refuses', [nobody, nobody], { status: 603, phrase: 'Decline', reason: 'X-Cause: none' });
  for (const phone of declining) {
    await dials(CUSTOMER);
    isForMobile(await phone.rings);
    await isOver('mobile_rejected');
  }
  await declining[0].ended;
  // As long as the group lets it ring; then it is the agent who gives up.
  const alone = telephonesInTurn('phone_left_alone', [nobody, nobody]);
  await dials(CUSTOMER);
  isForMobile(await alone[0].rings);
  await isOver('mobile_not_answered');
  await dials(CUSTOMER);
  isForMobile(await alone[1].rings);
  await mei.inCall('hangUp');
  await mei.session({ phase: 'ended', outcome: 'caller_cancelled' });
  await alone[1].ended;

  const told = (await records(began, 4)).map(({ callType, contact, status, hungUpBy, recording }) => [callType, contact, status, hungUpBy, recording]);
  const lost = ['outbound', CUSTOMER, 'agent_lost', 'switch', null];
  // The newest first.
  assert.deepEqual(told, [['outbound', CUSTOMER, 'caller_cancelled', 'agent', null], lost, lost, lost]);
});

// E3, G1
test('a colleague who is not online is called on the mobile: both hear each other, and each has a record of an internal call', async () => {
  const target = async () => {
    await tom.ask('targets', { search: 'mei' });
    return tom.targets.agents.find(({ name }) => name === 'Mei');
  };
  const online = await target();
  assert.equal(online.mobile, false, 'who is online is called as usual');
  await assert.rejects(tom.ask('callMobile', { agent: online.id }), /no_mobile_call/);
  await mei.choose('offline');
  assert.deepEqual({ ...(await target()), groups: [] }, { ...online, groups: [], state: 'offline', mobile: true });

  const began = Date.now();
  const voices = { tom: await voice('agent'), mei: await voice('caller') };
  const desk = telephone('phone', ports.desk, voices.tom);
  const mobile = telephone('callee', ports.carrier, voices.mei);
  const before = tom.sessions.size;
  await tom.ask('callMobile', { agent: online.id });
  await tom.when(() => tom.sessions.size > before, 'a session of the call');
  await desk.rings;
  await tom.session({ phase: 'dialling', callType: 'internal', callerName: 'Mei' });
  await desk.cue();
  const rang = await mobile.rings;
  isForMobile(rang);
  assert.ok(rang.from.includes(DID), `the mobile is shown ${rang.from}`);
  await tom.session({ phase: 'ringing' });
  await mobile.cue();
  await tom.session({ phase: 'talking' });
  await hearEachOther(voices.tom, { audio: voices.mei });
  assert.equal(mei.agent.state, 'offline');

  await mobile.cue();
  await Promise.all([mobile.ended, desk.ended, tom.session({ phase: 'ended', outcome: 'normal_end' })]);
  await tom.when(() => tom.agent.state === 'available', 'no after-call work');
  const both = await records(began, 2);
  const told = both.map(({ agent, callType, caller, contact, status, recording }) => [agent, callType, caller, contact, status, recording]).sort();
  assert.deepEqual(told, ['Mei', 'Tom'].map((agent) => [agent, 'internal', '1002', '1001', 'normal_end', null]));
  numberIsKept([both, [...tom.sessions.values()], tom.targets]);
});
