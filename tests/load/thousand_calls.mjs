// A thousand calls, a hundred at once, to a hundred agents: SIPp calls, scripted workstations with WebRTC media answer. Some are held,
// some are transferred, some are handed over after a consultation (D2, D4, D5). All are answered, on record and recorded, by content
// (G4, G5); and afterwards the switch holds what it held before.
//   node --test tests/load/thousand_calls.mjs
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { Switch } from '../support/switch.mjs';
import { Agents } from './agents.mjs';
import { crowd } from './crowd.mjs';
import { decode, listen } from './recordings.mjs';
import { differences, dropped, memory, vitalSigns } from './vital_signs.mjs';

const AGENTS = 100;
/** Of them, who take no calls but transfers and consultations. */
const SECOND = 20;
const CALLS = 1000;
/** Memory is read after so many calls, and after all. */
const WARM = 200;
const AT_ONCE = 100;
/** How long customers talk, milliseconds: those with one agent, and those with two. */
const TALK = 3000;
const LONG_TALK = 6000;
/** Between what an agent does and what comes next, milliseconds. */
const BEAT = 1000;
/** Customers of one tone each, hertz; none is an agent's. */
const CROWDS = [1600, 1800, 2000, 2200, 2400];
/** New calls a second, all crowds together. */
const NEW_CALLS = 30;
/** What timers of SIP transactions and a busy machine may take until all is quiet: Timer J alone is 32 s (RFC 3261). */
const QUIET = 120_000;
const TOLERANCE = 2;
const MOST_MEMORY = 1.05;
/** Recordings that are decoded at the same time. */
const DECODERS = 4;
/** Seconds of three in which a side is clearly heard, at least: a machine that is busy with other things as well leaves gaps. */
const LEAST_HEARD = 1.5;
/** What customers hear on hold, hertz, and for how many seconds of one at least. */
const MUSIC = 3000;
const LEAST_MUSIC = 0.4;
/** Samples around a change of agents, which may be of either: MP3 is cut at frames of 72 ms. */
const EDGE = 1000;

const DID = '+442079460100';
const PASSWORD = 'blue-Kettle-42';
const ADMIN = 'ada@example.com';

const agent = (n) => `
[agents."${Agents.address(n)}"]
number = "${2000 + n}"
name = "Agent ${n}"
groups = ["${n > AGENTS - SECOND ? 'Second' : 'Load'}"]
password_env = "AGENT_PASSWORD"
`;
// The answer goes to the customer when the agent is there, so that all three seconds are talk.
const FLOOR = `
[trunks.carrier]
hosts = ["127.0.0.1:5099"]
options_every = "off"

${['Load', 'Second'].map((group) => `
[groups.${group}]
automatic_answer = true
wrap_up = "off"
record = true
music = "hold"
`).join('')}
[agents."${ADMIN}"]
number = "1000"
name = "Ada Admin"
role = "admin"
password_env = "AGENT_PASSWORD"
${Array.from({ length: AGENTS }, (_, i) => agent(i + 1)).join('')}
[[numbers]]
did = "${DID}"
group = "Load"
early_media = true
`;

/** What the agent does in a call, by the last digits of the customer's number, as `loadtest agents` has it. */
const STORIES = { 3: 'held', 13: 'held', 6: 'transferred', 9: 'consulted' };
/** The customers who call: each once, from a number that tells the tone they send. */
const customers = Array.from({ length: CALLS }, (_, i) => {
  const story = STORIES[i % 20] ?? 'plain';
  const talk = story === 'transferred' || story === 'consulted' ? LONG_TALK : TALK;
  return { caller: `+4477009${String(i).padStart(5, '0')}`, hertz: CROWDS[i % CROWDS.length], story, talk };
});
const customerOf = new Map(customers.map((customer) => [customer.caller, customer]));
const segmentsOf = ({ talk }) => (talk === LONG_TALK ? 2 : 1);
const recordsOf = (some) => some.reduce((sum, customer) => sum + segmentsOf(customer), 0);

/** How long each segment of a story may be talked, milliseconds, and how long the customer is on hold. */
const TIMES = {
  plain: [{ talk: [TALK, TALK], hold: [0, 0] }],
  held: [{ talk: [TALK, TALK], hold: [BEAT, BEAT] }],
  transferred: [{ talk: [BEAT, BEAT], hold: [0, 0] }, { talk: [BEAT, LONG_TALK - BEAT], hold: [0, 0] }],
  consulted: [{ talk: [2 * BEAT, LONG_TALK - BEAT], hold: [BEAT, LONG_TALK - 2 * BEAT] }, { talk: [BEAT, LONG_TALK - BEAT], hold: [0, 0] }],
};

const TONES = [MUSIC, ...CROWDS, ...Array.from({ length: AGENTS }, (_, i) => Agents.tone(i + 1))];

let house, agents, cookie, baseline, summary;
const memories = [];
let mostAtOnce = 0;
let began, records;
let failed = false;

before(async () => {
  // The allocator gives back at once what it does not need: its memory is the switch's.
  const environment = { AGENT_PASSWORD: PASSWORD, MIMALLOC_PURGE_DELAY: '0' };
  house = await Switch.create({ floor: FLOOR, environment, rtpPorts: 1000, sounds: { hold: tone(MUSIC) } });
  agents = new Agents({ url: house.url.slice(0, -1), count: AGENTS, password: PASSWORD, second: 'Second' });
});

after(async () => {
  agents?.kill();
  if (failed && house) {
    const folder = join(import.meta.dirname, '../../target/load-failures');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'switch.log'), house.log);
    console.log(`The switch's log: ${folder}`);
  }
  await house?.stop();
});

function step(name, act) {
  test(name, async () => {
    try {
      await act();
    } catch (error) {
      failed = true;
      throw error;
    }
  });
}

step('a hundred agents go online', async () => {
  await agents.ready();
  cookie = await logIn();
  baseline = await steady();
  console.log(`baseline: ${JSON.stringify(baseline)}, ${mebibytes(memory(house))} MiB`);
});

step(`${WARM} calls, a hundred at once, are answered`, async () => {
  began = Date.now();
  await place(customers.slice(0, WARM));
  await settled(recordsOf(customers.slice(0, WARM)));
});

step('after them the switch is as it was before', async () => {
  await quiet();
  memories.push(memory(house));
});

step(`${CALLS} calls are answered`, async () => {
  await place(customers.slice(WARM));
  records = await settled(recordsOf(customers));
  console.log(`at most ${mostAtOnce} at once; ${dropped(house)} datagrams dropped`);
  assert.ok(mostAtOnce >= AT_ONCE * 0.95, `at most ${mostAtOnce} calls were in progress together`);
});

step('after them calls, legs, transactions, timers, descriptors and ports are as many as before the first', quiet);

step(`memory is at most ${Math.round((MOST_MEMORY - 1) * 100)} % over what it was after call ${WARM}`, async () => {
  const most = memories[0] * MOST_MEMORY;
  await until(30_000, () => {
    memories[1] = memory(house);
    return memories[1] <= most ? [] : [`${mebibytes(memories[0])} MiB after call ${WARM}, ${mebibytes(memories[1])} MiB after call ${CALLS}`];
  });
  console.log(`memory: ${memories.map(mebibytes).join(' MiB, then ')} MiB`);
});

// D2, D4, D5, G1, G5
step('each call has its records, one for each agent, with group and the right times', () => {
  const wrong = [];
  const byCaller = grouped(records, ({ caller }) => caller);
  for (const customer of customers) {
    const of = (byCaller.get(customer.caller) ?? []).sort((a, b) => a.id.localeCompare(b.id));
    if (of.length !== segmentsOf(customer)) wrong.push(`${customer.caller} (${customer.story}) has ${of.length} records`);
    of.forEach((record, n) => {
      const faults = faultsOf(record, customer, n);
      if (faults.length) wrong.push(`${record.caller} (${customer.story} ${n}), ${record.agent}: ${faults.join(', ')}`);
    });
  }
  if (new Set(records.map(({ call }) => call)).size !== CALLS) wrong.push('calls share a record');
  wrong.push(...overlaps());
  report(wrong, 'records are wrong');
});

step('each recording has its customer left and its agent right, and nobody else', async () => {
  const wrong = [];
  const heard = { left: [], right: [] };
  const listenTo = async (record) => {
    const { story, hertz } = customerOf.get(record.caller);
    const [left, right] = (await channelsOf(record)).map((channel) => (story === 'plain' ? channel : channel.subarray(EDGE, -EDGE)));
    const sides = { left: listen(left, hertz, TONES), right: listen(right, Agents.tone(numberOf(record)), TONES) };
    // A segment of a call with two agents is shorter, and so is what is heard beside a hold.
    const least = story === 'plain' ? LEAST_HEARD : LEAST_MUSIC;
    for (const [side, { own, strangers }] of Object.entries(sides)) {
      if (story === 'plain') heard[side].push(own);
      // Customers hear music on hold, and until the journal has the answer.
      const others = strangers.filter((other) => other !== MUSIC || side === 'left');
      if (own < least || others.length) {
        wrong.push(`${record.caller} (${story}), ${record.agent}, ${side}: ${own.toFixed(1)} s of the own tone; others: ${others.join(', ') || 'none'}`);
      }
    }
    if (record.hold > 0) {
      const { own: music } = listen(right, MUSIC, []);
      if (music < LEAST_MUSIC) wrong.push(`${record.caller} (${story}), ${record.agent}: ${music.toFixed(1)} s of music`);
    }
  };
  const next = records.values();
  await Promise.all(Array.from({ length: DECODERS }, async () => {
    for (const record of next) await listenTo(record);
  }));
  for (const [side, seconds] of Object.entries(heard)) {
    seconds.sort((a, b) => a - b);
    console.log(`${side}: the own tone is heard ${seconds[0].toFixed(1)} s at least, ${seconds[seconds.length >> 1].toFixed(1)} s in the middle`);
  }
  report(wrong, 'channels are wrong');
});

step('every agent heard the customers, and nothing went wrong at any desk', async () => {
  summary = await agents.stop();
  const wrong = [...agents.problems];
  assert.equal(summary.length, AGENTS, 'every agent is there to the end');
  for (const { agent, offers, answered, ended, heardSeconds } of summary) {
    const recorded = records.filter((record) => Agents.address(numberOf(record)) === agent).length;
    if (offers !== recorded || answered !== recorded || ended !== recorded) {
      wrong.push(`${agent}: ${recorded} records, ${offers} offers, ${answered} answered, ${ended} ended`);
    }
    if (heardSeconds < recorded * LEAST_MUSIC) wrong.push(`${agent} heard ${heardSeconds.toFixed(1)} s in ${recorded} calls`);
  }
  report(wrong, 'desks are wrong');
});

/** These customers call, by their tones; counts how many calls there are together. */
async function place(some) {
  const crowds = CROWDS.map((hertz, n) =>
    crowd({
      sipPort: house.sipPort,
      did: DID,
      hertz,
      customers: some.filter((customer) => customer.hertz === hertz),
      atOnce: AT_ONCE / CROWDS.length,
      rate: NEW_CALLS / CROWDS.length,
      rtpPorts: 10_000 + 1000 * n,
    }),
  );
  let placing = true;
  const counting = (async () => {
    while (placing) {
      mostAtOnce = Math.max(mostAtOnce, (await vitalSigns(house)).calls);
      await pause();
    }
  })();
  const results = await Promise.allSettled(crowds);
  placing = false;
  await counting;
  const errors = results.flatMap(({ reason }) => (reason ? [reason.message] : []));
  assert.deepEqual(errors, [], errors.join('\n'));
}

/** The records, when there are so many and every recording is finished. */
async function settled(count) {
  let found = [];
  await until(QUIET, async () => {
    found = await allRecords();
    const unfinished = found.filter(({ recording }) => recording && !['ready', 'failed'].includes(recording.state));
    return found.length >= count && unfinished.length === 0 ? [] : [`${found.length} records of ${count}, ${unfinished.length} recordings unfinished`];
  });
  return found;
}

async function allRecords() {
  // A record that comes while the pages are turned moves others to the next page.
  const found = new Map();
  for (let page = 0; ; page++) {
    const { items } = await (await ask(`api/v1/records?from=${began}&page=${page}`)).json();
    if (items.length === 0) return [...found.values()];
    for (const record of items) found.set(record.id, record);
  }
}

/** Waits until the switch holds what it held before the first call. */
function quiet() {
  return until(QUIET, async () => differences(baseline, await vitalSigns(house), TOLERANCE));
}

/** What it holds when two looks in a row see the same: going online is over. */
async function steady() {
  let [last, now] = [await vitalSigns(house)];
  await until(QUIET, async () => {
    [last, now] = [now ?? last, await vitalSigns(house)];
    return now.legs === 0 ? differences(last, now, 0) : ['legs'];
  });
  return now;
}

/** Looks again and again until nothing is left of what is missing, or the time is up. */
async function until(milliseconds, missing) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const left = await missing();
    if (left.length === 0) return;
    if (Date.now() > deadline) assert.fail(left.join('; '));
    await pause();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 500));

/** What is wrong with the nth record of a call by itself. */
function faultsOf({ time, status, hungUpBy, group, agent, contact, duration, wait, ring, hold, recording }, { story }, n) {
  const times = TIMES[story][n];
  const last = n === TIMES[story].length - 1;
  const talk = duration - wait;
  // What the agents do is timed by their program, on a busy machine.
  const early = story === 'plain' ? 100 : BEAT / 2;
  const within = (value, [from, to]) => value >= from - early && value <= to + (to && 2000);
  // A consultation is recorded from when the customer is in it.
  const recorded = story === 'consulted' && n === 1 ? [BEAT, talk - BEAT + 500] : [talk - 1000, talk - 1000];
  const demands = {
    [`status ${status}`]: status === (last ? 'normal_end' : 'agent_transfer'),
    [`hung up by ${hungUpBy}`]: hungUpBy === (last ? 'customer' : 'agent'),
    [`group ${group}`]: group === (n === 0 ? 'Load' : 'Second'),
    [`agent ${agent}`]: /^Agent \d+$/.test(agent ?? ''),
    [`contact ${contact}`]: contact === DID,
    [`connected at ${time}`]: time >= began && time <= Date.now(),
    [`talked ${talk} ms`]: within(talk, times.talk),
    [`waited ${wait} ms, rang ${ring} ms`]: ring >= 0 && wait >= ring && wait < 60_000,
    [`held ${hold} ms`]: within(hold, times.hold),
    [`recording ${recording?.state}`]: recording?.state === 'ready',
    [`recording of ${recording?.duration} ms, talked ${talk} ms`]: within(recording?.duration ?? 0, recorded),
  };
  return Object.keys(demands).filter((fault) => !demands[fault]);
}

/** Agents who had two calls at a time. */
function overlaps() {
  const wrong = [];
  for (const [agent, own] of grouped(records, ({ agent }) => agent)) {
    own.sort((a, b) => a.time - b.time);
    own.slice(1).forEach((record, i) => {
      const ended = own[i].time + own[i].duration - own[i].wait;
      if (record.time < ended) wrong.push(`${agent} talked with ${own[i].caller} and ${record.caller} at the same time`);
    });
  }
  return wrong;
}

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

const numberOf = ({ agent }) => Number(agent?.match(/^Agent (\d+)$/)?.[1] ?? 0);

/** A second of a tone. */
function tone(hertz) {
  return Float32Array.from({ length: RATE }, (_, i) => 0.25 * Math.sin((2 * Math.PI * hertz * i) / RATE));
}

async function channelsOf({ recording }) {
  const answer = await ask(`api/v1/recordings/${recording?.id}.mp3`);
  return decode(Buffer.from(await answer.arrayBuffer()));
}

async function logIn() {
  const headers = { 'content-type': 'application/json', origin: house.url.slice(0, -1) };
  const answer = await fetch(`${house.url}api/v1/login`, { method: 'POST', headers, body: JSON.stringify({ email: ADMIN, password: PASSWORD }) });
  assert.equal(answer.status, 200, 'the admin logs in');
  return answer.headers.getSetCookie()[0].split(';')[0];
}

async function ask(path) {
  // A connection that is kept may be closed by the switch just when it is used again.
  const answer = await fetch(`${house.url}${path}`, { headers: { cookie, connection: 'close' } });
  assert.equal(answer.status, 200, path);
  return answer;
}

function report(wrong, what) {
  assert.equal(wrong.length, 0, `${wrong.length} ${what}:\n${wrong.slice(0, 20).join('\n')}`);
}

const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
