// Agents who answer on their own mobiles: SIPp is the carrier, the customer who calls, and the mobile that is called. Who is heard is judged by
// what they say.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { CallerAudio } from '../support/caller_audio.mjs';
import { Desk, logIn } from '../support/desk.mjs';
import { openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import { ack, answered, bye, cue, invite, scenario } from '../support/scenario.mjs';
import { openPhone, placeCall } from '../support/sipp.mjs';
import { recognise, SENTENCES, spokenUlaw } from '../support/speech.mjs';
import { understands } from '../support/story.mjs';

const MEI = { email: 'mei@example.com', password: PASSWORD };
const TOM = { email: 'tom@example.com', password: PASSWORD };
const DID = '+442079460100';
const MOBILE = '+447700900162';
const CUSTOMER = '+447700900123';
/** Longer than the prompt, which begins with the answer. */
const PROMPTED = 6.5;
const PROMPT = 'public <told> = a customer is calling | to take the call | press one | your call is in the queue | please stay on the line;';

const floor = (ports) => `
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
  assert.ok(![JSON.stringify(record), house.log].some((text) => text.includes(MOBILE)), 'nobody is told the mobile’s number');
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
