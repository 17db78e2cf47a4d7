// The load generator against a running switch (J1, J2, J3): its scenarios are played, its figures are right, and what is wrong is told.
//   node --test tests/load/generator.mjs
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { freePair, freePort } from '../support/ports.mjs';
import { Switch } from '../support/switch.mjs';
import { newFolder } from '../support/work_folder.mjs';

const root = join(import.meta.dirname, '../..');
const binary = process.env.LOADTEST_BIN ?? resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/loadtest');
const PASSWORD = 'blue-Kettle-42';
const environment = { LOADTEST_PASSWORD: PASSWORD, CORDBOARD_LIMITS__LOGINS_PER_MINUTE: '10000' };
const run = promisify(execFile);

/** Of a check of the records. */
const nothingWrong = { missing: 0, surplus: 0, wrongStatus: 0, wrongAgent: 0, wrongLength: 0, unrecorded: 0, wrongKey: 0, examples: [] };

const houses = [];
after(() => Promise.all(houses.map((house) => house.stop())));

/** Plays that scenario against a switch with its floor, changed by `change`; its report, and whether it was clean. */
async function play(scenario, { options = [], change = (floor) => floor } = {}) {
  const folder = newFolder('load');
  const file = join(folder, 'scenario.toml');
  writeFileSync(file, scenario);
  const places = ['--carrier', `127.0.0.1:${await freePort()}`, '--phones', `127.0.0.1:${await freePort()}`, '--audio', `127.0.0.1:${await freePair()}`, '--audio-sockets', '2'];
  const { stdout: floor } = await run(binary, ['floor', file, ...places]);
  const house = await Switch.create({ floor: change(floor), environment, rtpPorts: 1000 });
  houses.push(house);
  const where = ['--switch', `127.0.0.1:${house.sipPort}`, '--url', house.url.slice(0, -1), '--pid', `${house.pid}`, '--report', folder];
  const env = { ...process.env, ...environment };
  const clean = await run(binary, ['run', file, ...places, ...where, ...options], { env }).then(() => true, (error) => {
    if (error.code !== 1) throw error;
    return false;
  });
  assert.deepEqual(house.log.trim().split('\n').filter((line) => line.split(/\s+/)[1] !== 'INFO'), [], 'the switch’s log holds news only, in plain words');
  return { clean, ...JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')), page: readFileSync(join(folder, 'report.html'), 'utf8') };
}

const scenario = (agents, { rate = 10, audio = false, seconds = 4, customers = '' } = {}) => `
about = "A test of the load generator"
seconds = ${seconds}
[arrivals]
kind = "poisson"
rate = ${rate}
[customers]
audio = ${audio}
${customers}
[agents]
${agents}
[clean]
setup_p99 = 5000
lost = 0.05
`;

test('calls with audio over SIP phones: all connected, each side heard the other, every record and recording is there', async () => {
  const { clean, rounds, page } = await play(scenario('kind = "phones"\ncount = 30\ntalk = { uniform = [1, 2] }\nhang_up = 0.5\nrecord = true', { audio: true }));
  const [{ numbers, check, faults, seconds }] = rounds;
  assert.deepEqual(faults, []);
  assert.ok(clean);
  assert.ok(numbers.tried >= 15, `${numbers.tried}`);
  assert.deepEqual([numbers.connected, numbers.failed], [numbers.tried, 0]);
  assert.deepEqual(check, { calls: numbers.tried, records: numbers.tried, ...nothingWrong });
  assert.equal(numbers.callsOut, null);
  const { audio } = numbers;
  assert.deepEqual([audio.deafSides, audio.foreignSpeech], [0, 0]);
  // A second of talk is 50 packets to each side.
  assert.ok(audio.packetsHeard >= 2 * 40 * numbers.tried, JSON.stringify(audio));
  assert.ok(audio.delay.count > 0 && audio.delay.p50 < 1000);
  assert.ok(numbers.setupTime.p50 > 0 && numbers.waitTime.p50 >= numbers.setupTime.p50);
  assert.ok(numbers.switchCpu > 0 && numbers.switchMemoryMib > 1 && seconds.length >= 4);
  assert.match(page, /A test of the load generator/);
});

test('browsers hold, hand on and consult; each agent who had the call has a record of it', async () => {
  const agents = 'kind = "webrtc"\ncount = 12\nsecond = 4\ntalk = 7\nhold = 0.2\nhold_for = 0.5\ntransfer = 0.4\nconsult = 0.4\nrecord = true';
  const { clean, rounds } = await play(scenario(agents, { rate: 1, seconds: 6 }));
  const [{ numbers, check, faults }] = rounds;
  assert.deepEqual(faults, []);
  assert.ok(clean);
  assert.ok(numbers.tried >= 2 && numbers.connected === numbers.tried);
  assert.ok(check.records > numbers.tried, `${check.records} records of ${numbers.tried} calls`);
});

// J1, J2, D6, E1, G3
test('customers press keys in self-service, and agents call out to some who are busy: each call has its key, its status and its recording', async () => {
  const agents = 'kind = "browsers"\ncount = 10\nanswers_after = 0.3\ntalk = 2\nself_service = 0.6\ncallers = 3\ncalls_after = { uniform = [0.3, 0.6] }\nrecord = true';
  const customers = 'presses_after = 0.5\nanswers_after = 0.3\nbusy = 0.4';
  const { clean, rounds, page } = await play(scenario(agents, { rate: 2, audio: true, seconds: 6, customers }));
  const [{ numbers, check, faults }] = rounds;
  assert.deepEqual(faults, []);
  assert.ok(clean);
  const { callsOut, audio } = numbers;
  assert.ok(numbers.tried >= 5 && numbers.connected === numbers.tried, `${numbers.tried}`);
  assert.ok(callsOut.connected >= 3 && callsOut.tried > callsOut.connected && callsOut.failed === 0, JSON.stringify(callsOut));
  assert.equal(callsOut.setupTime.count, callsOut.tried);
  // It rings, and is answered by hand.
  assert.equal(numbers.setupTime.count, numbers.tried);
  assert.ok(numbers.waitTime.p50 >= numbers.setupTime.p50 + 290, JSON.stringify([numbers.setupTime, numbers.waitTime]));
  // Each call here has one agent.
  assert.deepEqual(check, { calls: numbers.tried + callsOut.tried, records: check.calls, ...nothingWrong });
  assert.deepEqual([audio.deafSides, audio.foreignSpeech], [0, 0]);
  assert.match(page, /Calls out/);
});

test('a customer whose patience ends before an agent is free is a failed call, on record as one', async () => {
  const { clean, rounds } = await play(scenario('kind = "phones"\ncount = 1\ntalk = 8', { rate: 4, seconds: 2, customers: 'patience = 1' }));
  const [{ numbers, check, faults }] = rounds;
  assert.ok(!clean);
  assert.equal(numbers.failed, numbers.tried - 1);
  assert.deepEqual(Object.keys(numbers.failures), ["no agent in the customer's time"]);
  assert.deepEqual([check.missing, check.surplus, check.wrongStatus], [0, 0, 0]);
  assert.match(faults[0], /^\d+\.\d+ % of calls failed; 0\.10 % may$/);
});

test('the highest clean rate is below what the trunk takes', async () => {
  const limited = (floor) => floor.replace('options_every = "off"', 'options_every = "off"\nmax_calls_per_second = 20');
  const { clean, highestCleanRate, rounds } = await play(scenario('kind = "phones"\ncount = 60\ntalk = 0.2', { rate: 10, seconds: 3 }).replace('poisson', 'constant'), { change: limited, options: ['--find'] });
  assert.ok(clean);
  assert.ok(highestCleanRate >= 10 && highestCleanRate <= 21, `${highestCleanRate}`);
  const broke = rounds.find(({ faults }) => faults.length > 0);
  assert.deepEqual(Object.keys(broke.numbers.failures), ['503, cause 34']);
  assert.equal(broke.check.missing, 0);
});
