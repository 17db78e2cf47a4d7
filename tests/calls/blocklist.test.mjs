// Callers who are barred, from outside (C1, H6): SIPp calls, an agent has a SIP phone of SIPp's and a socket, a supervisor and an admin ask over HTTP.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Listeners } from '../support/caller_audio.mjs';
import { Desk, logIn } from '../support/desk.mjs';
import { ACCOUNT, openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import { ack, answered, bye, cancel, cue, early, invite, scenario, turnedAway } from '../support/scenario.mjs';
import { openPhones, placeCall } from '../support/sipp.mjs';
import { newFolder } from '../support/work_folder.mjs';

const DID = '+442079460100';
const EARLY_DID = '+442079460101';
const ROOM = 10_000;
const account = (name) => ({ email: `${name}@example.com`, password: PASSWORD });

const floor = (port) => `
[trunks.carrier]
hosts = ["127.0.0.1:5099"]
options_every = "off"

[groups.Orders]
wrap_up = "off"

[phones.desk]
user = "mei"
addr = "127.0.0.1:${port}"

[agents."mei@example.com"]
number = "1001"
name = "Mei Tanaka"
groups = ["Orders"]
phone = "desk"
password_env = "AGENT_PASSWORD"

[agents."sue@example.com"]
number = "1003"
name = "Sue Hall"
role = "supervisor"
groups = ["Orders"]
password_env = "AGENT_PASSWORD"

[[numbers]]
did = "${DID}"
group = "Orders"

[[numbers]]
did = "${EARLY_DID}"
group = "Orders"
early_media = true

[[dispositions]]
name = "Order placed"
[[dispositions]]
name = "Complaint"

[[blocklist]]
number = "+44 7700 900 701"
note = "Threatened an agent"
[[blocklist]]
number = "+4490"
prefix = true
`;

let house, desk, phones, phonePort, sue, ada;
const audios = new Listeners();
const listener = () => audios.listener();

before(async () => {
  phonePort = await freePort();
  ({ house, cookie: ada } = await openHouse(floor(phonePort)));
  phones = openPhones('phones', { port: phonePort, audio: await listener(), words: { rings: 300 } });
  sue = await logIn(house.url, account('sue'));
  desk = await Desk.open(house.url, account('mei'));
  await desk.choose('available');
});

after(async () => {
  desk?.close();
  phones?.kill();
  audios.close();
  await house?.stop();
});

async function call(caller, steps, did = DID) {
  return placeCall(scenario(...steps), { sipPort: house.sipPort, did, caller, audio: await listener() });
}

/** Asks the API as somebody; the answer's body, where it has one. */
async function ask(cookie, method, path, body) {
  const headers = { cookie, connection: 'close', origin: house.url.slice(0, -1), ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(`${house.url}api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok ? '' : await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

/** The newest record of that caller, once there is one that fits. */
async function record(caller, fits = () => true) {
  const deadline = Date.now() + ROOM;
  for (;;) {
    const { items } = await ask(ada, 'GET', `records?caller=${encodeURIComponent(caller)}`);
    if (items.length > 0 && fits(items[0])) return items[0];
    if (Date.now() > deadline) assert.fail(`${caller} has the records ${JSON.stringify(items)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until there are so many records of that caller: they are written behind the calls. */
async function onRecord(caller, count) {
  const deadline = Date.now() + ROOM;
  for (;;) {
    const { total } = await ask(ada, 'GET', `records?caller=${encodeURIComponent(caller)}`);
    if (total >= count) return;
    if (Date.now() > deadline) assert.fail(`${caller} has ${total} records`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const listed = async () => (await ask(sue, 'GET', 'blocklist')).items;

/** 603 and nothing else but 100, whatever the number asks for; and a record that says why. */
async function isRefused(caller, did) {
  const customer = await call(caller, [invite(), turnedAway(603)], did);
  await customer.ended;
  const trace = customer.trace();
  assert.match(trace, /Reason: Q\.850 ?;cause=21/);
  assert.ok(!/SIP\/2\.0 (18\d|200)/.test(trace), trace);
  assert.equal(desk.offer, null);
  const found = await record(caller, ({ status }) => status === 'blocklist');
  assert.deepEqual([found.group, found.agent, found.hungUpBy, found.callType, found.ring], ['Orders', null, 'switch', 'inbound', 0]);
}

async function rings(caller) {
  const customer = await call(caller, [invite(), early(), cue(), cancel()], EARLY_DID);
  await desk.rings();
  await customer.cue();
  await customer.ended;
  await desk.ringsNoMore();
}

const TALKS = [invite(), answered(), ack(), cue(), bye()];

// C1, G2, H6
test('a number of the list is answered 603 however the carrier writes it, and others ring', async () => {
  await isRefused('+447700900701');
  await isRefused('00447700900701');
  await isRefused('447700900701', EARLY_DID);
  await rings('+447700900702');
});

// C1, H6
test('a prefix bars all numbers that begin so, and nobody who withholds theirs', async () => {
  await isRefused('+4490555');
  await rings('anonymous');
});

// H6
test('an entry that has ended rings again', async () => {
  const until = Date.now() + 4000;
  await ask(sue, 'POST', 'blocklist', { number: '+44 7700 900703', until });
  await isRefused('+447700900703');
  assert.ok((await listed()).some(({ number }) => number === '+447700900703'));
  await new Promise((resolve) => setTimeout(resolve, until - Date.now()));
  await rings('+447700900703');
  assert.ok(!(await listed()).some(({ number }) => number === '+447700900703'));
});

// H6, D8, G1
test('an agent bars the customer of a call by the call alone, which goes on; the next one is refused, and a supervisor takes it back', async () => {
  const caller = '+447700900704';
  const customer = await call(caller, TALKS);
  const { call: id, caller: shown } = await desk.session({ phase: 'talking' });
  assert.ok(!shown.includes('900704'));
  await assert.rejects(desk.ask('block', { call: 'f'.repeat(32), keep: 'day', note: '' }), /no_such_call/);
  await desk.ask('block', { call: id, keep: 'week', note: 'Shouts' });
  await desk.ask('disposition', { call: id, name: 'Order placed' });
  await desk.ask('disposition', { call: id, name: 'Complaint' });
  await assert.rejects(desk.ask('disposition', { call: id, name: 'Refund' }), /no_such_disposition/);
  await desk.session({ phase: 'talking', disposition: 'Complaint' });
  await isRefused(caller);
  await customer.cue();
  await desk.session({ phase: 'ended' });
  const { disposition } = await record(caller, ({ status }) => status === 'normal_end' || status === 'blocklist');
  await onRecord(caller, 2);
  const spoken = await ask(ada, 'GET', `records?disposition=Complaint&caller=${encodeURIComponent(caller)}`);
  assert.deepEqual([disposition, spoken.total, spoken.items[0].call], ['', 1, id]);
  const entry = (await listed()).find(({ number }) => number === caller);
  assert.deepEqual([entry.by, entry.note, entry.prefix], ['Mei Tanaka', 'Shouts', false]);
  const days = (entry.until - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= 7, `${days}`);
  await ask(sue, 'DELETE', `blocklist/${entry.id}`);
  await rings(caller);
});

// H6
test('who withholds the number cannot be barred', async () => {
  const customer = await call('anonymous', TALKS);
  const { call: id } = await desk.session({ phase: 'talking' });
  await assert.rejects(desk.ask('block', { call: id, keep: 'good', note: '' }), /nothing_to_block/);
  await customer.cue();
  await desk.session({ phase: 'ended' });
});

// H6, I6
test('a floor file bars and lets in through the running switch', async () => {
  const file = join(newFolder('floor'), 'floor.toml');
  writeFileSync(file, ACCOUNT + floor(phonePort).replace('+44 7700 900 701', '+44 7700 900 706'));
  assert.match(house.run('apply', file), /- blocklist \+447700900701\n/);
  await isRefused('+447700900706');
  await rings('+447700900701');
});

// H6, D8, G5
test('what agents said stays when the switch is killed', async () => {
  const caller = '+447700900705';
  const customer = await call(caller, TALKS);
  const { call: id } = await desk.session({ phase: 'talking' });
  await desk.ask('disposition', { call: id, name: 'Order placed' });
  await desk.ask('block', { call: id, keep: 'good', note: '' });
  desk.close();
  await house.kill();
  customer.kill();
  await house.start();
  assert.deepEqual([(await record(caller)).disposition, (await record(caller)).status], ['Order placed', 'interrupted']);
  desk = await Desk.open(house.url, account('mei'));
  await desk.choose('available');
  await isRefused(caller);
});
