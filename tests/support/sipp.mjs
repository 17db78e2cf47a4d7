// Customers' calls and agents' phones made of SIPp: one process a call, its media on a CallerAudio's port.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './ports.mjs';
import { newFolder } from './work_folder.mjs';

const scenarios = new URL('../sip/', import.meta.url).pathname;
const LOOPBACK = '127.0.0.1';
const MOST_OF_A_LOG = 50_000;
/** Milliseconds within which SIPp says that a cue came too early. */
const CUE_PASSED_OVER = 2000;
let calls = 0;
let cues = 0;

/**
 * Places a call to `did` by the scenario `tests/sip/NAME.xml`, or by one that is given as text; over UDP, or `tcp`.
 * `cue()` tells the scenario to go on where it waits for an INFO; `ended` resolves when SIPp is done, and rejects with its log when the call
 * went another way than the scenario.
 */
export async function placeCall(scenario, { sipPort, did, audio, caller = '+447700900123', address = LOOPBACK, port, tcp = false }) {
  const localPort = port ?? (await freePort());
  const placed = Date.now();
  const callId = `first-call-${process.pid}-${++calls}`;
  const keys = ['-cid_str', callId, '-key', 'did', did, '-key', 'caller', caller, '-key', 'rtp_port', `${audio.port}`];
  const { sipp, ended, trace, errors } = run(scenario, [`${LOOPBACK}:${sipPort}`, '-i', address, '-p', `${localPort}`, '-t', tcp ? 't1' : 'u1', ...keys]);
  const cue = () => giveCue(callId, address, localPort, errors);
  return {
    callId,
    /** The messages so far, as SIPp writes them down. */
    trace,
    /** When it was placed, by the clock of records. */
    placed,
    port: localPort,
    ended,
    cue,
    /** Ends it whatever it is at: as the scenario would, if it can. */
    giveUp: () => giveUp(sipp, ended, cue),
    /** The carrier vanishes: no BYE, nothing. */
    kill: () => sipp.kill('SIGKILL'),
  };
}

/**
 * A SIP phone, or a customer behind a carrier, at `port` that takes one call by the scenario; `cue`, `ended` and `giveUp` as those of a placed call.
 * `words` stand in the scenario where it has their names in braces.
 */
export function openPhone(scenario, { audio, ...more }) {
  return openPhonesInTurn(scenario, { audios: [audio], ...more })[0];
}

/** As many phones behind one address as there are audios: the first call is the first one's, the next the next one's. They have one end: the last call's. */
export function openPhonesInTurn(scenario, { port, audios, address = LOOPBACK, words }) {
  const { sipp, ended, trace, errors } = run(scenario, ['-i', address, '-p', `${port}`], { words, calls: audios.length, mediaPorts: audios.map((audio) => audio.port) });
  const lines = [];
  const waiting = [];
  const phones = audios.map(() => {
    let cue = async () => {};
    const rings = new Promise((resolve, reject) => {
      waiting.push((callId, ring) => {
        cue = () => giveCue(callId, address, port, errors);
        resolve(ring);
      });
      ended.then(() => reject(new Error('the phone did not ring')), reject);
    });
    rings.catch(() => {});
    return {
      /** Resolves with the INVITE's From, and where the scenario tells them its To and its port for media; and when it came. */
      rings,
      /** What the scenario has printed. */
      lines,
      ended,
      /** The messages of them all so far, as SIPp writes them down. */
      trace,
      cue: () => cue(),
      giveUp: () => giveUp(sipp, ended, cue),
    };
  });
  createInterface(sipp.stdout).on('line', (line) => {
    lines.push(line);
    const [, callId, from, to, media] = line.match(/^rings (\S+) (.*?)(?: to (.*?)(?: m=audio (\d+))?)?$/) ?? [];
    if (callId) waiting.shift()?.(callId, { from, to, media: Number(media), at: Date.now() });
  });
  return phones;
}

/** Whether SIPp answered at the first number before it was called at the second. */
export function answersBefore(trace, first, second) {
  const messages = trace.split(/^-{10,}/m);
  const at = (...words) => messages.findIndex((message) => words.every((word) => message.includes(word)));
  const answer = at('SIP/2.0 200', `:${first}@`, 'INVITE');
  return answer >= 0 && answer < at('INVITE sip:', `:${second}@`);
}

/** Many phones, or a carrier with many customers behind it, at `port`: every call goes by the scenario. `close` rejects when one went another way. */
export function openPhones(scenario, { port, audio, words }) {
  const { sipp, ended } = run(scenario, ['-i', LOOPBACK, '-p', `${port}`, '-key', 'rtp_port', `${audio.port}`], { words, calls: Infinity });
  return {
    close: async () => {
      // The calls in progress may end; SIPp calls those that do not failed.
      sipp.kill('SIGUSR1');
      const patience = setTimeout(() => sipp.kill('SIGUSR1'), 5000);
      await ended.finally(() => clearTimeout(patience));
    },
    /** They vanish with all that they are at. */
    kill: () => sipp.kill('SIGKILL'),
  };
}

/** Runs calls of a scenario. SIPp takes no key for a status: words are put into the text. `mediaPorts` are those of the calls, in their order. */
function run(scenario, options, { words = {}, calls = 1, mediaPorts } = {}) {
  const folder = newFolder('sipp');
  const file = join(folder, 'scenario.xml');
  const text = scenario.startsWith('<') ? scenario : readFileSync(join(scenarios, `${scenario}.xml`), 'utf8');
  const worded = text.replaceAll(/{{(\w+)}}/g, (_, name) => words[name]);
  writeFileSync(file, mediaPorts ? worded.replaceAll('[rtp_port]', '[field0]') : worded);
  // One line for each call.
  if (mediaPorts) writeFileSync(join(folder, 'ports'), ['SEQUENTIAL', ...mediaPorts, ''].join('\n'));
  const sipp = spawn(
    'sipp',
    [
      ...options, '-sf', file, ...(mediaPorts ? ['-inf', 'ports'] : []), ...(calls < Infinity ? ['-m', `${calls}`, '-l', `${calls}`] : []),
      '-nostdin', '-nd', '-default_behaviors', '-bye', '-trace_err', '-error_file', join(folder, 'errors'), '-trace_msg', '-message_file',
      join(folder, 'messages'), '-timeout', '240', '-timeout_error',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  sipp.stdout.resume();
  const ended = new Promise((resolve, reject) => {
    sipp.on('error', reject);
    // Closed: what it printed is read.
    sipp.on('close', (code) => {
      if (code === 0) return resolve();
      const logs = readdirSync(folder).map((name) => `--- ${name}\n${readFileSync(join(folder, name), 'utf8').slice(0, MOST_OF_A_LOG)}`);
      reject(new Error(`SIPp ended with ${code}\n${logs.join('\n')}`));
    });
  });
  // Whoever waits for it hears of a failure; a test that failed before is not failed twice.
  ended.catch(() => {});
  const read = (name) => readFileSync(join(folder, name), 'utf8');
  return { sipp, ended, trace: () => read('messages'), errors: () => (existsSync(join(folder, 'errors')) ? read('errors') : '') };
}

async function giveUp(sipp, ended, cue) {
  if (sipp.exitCode === null && sipp.signalCode === null) await cue();
  const patience = setTimeout(() => sipp.kill('SIGKILL'), 2000);
  await ended.catch(() => {});
  clearTimeout(patience);
}

/**
 * Sends the INFO that the scenario waits for, and does not wait for it. One that comes before its turn SIPp passes over and says so: an agent's desk
 * can ring before the customer's 180 is there. Then another one is sent.
 */
async function giveCue(callId, address, port, errors) {
  const cue = ++cues;
  await sendInfo(callId, address, port, cue);
  const began = Date.now();
  const look = setInterval(() => {
    const early = errors().includes(`CSeq: ${cue} INFO`);
    if (early || Date.now() > began + CUE_PASSED_OVER) clearInterval(look);
    if (early) giveCue(callId, address, port, errors);
  }, 50);
  look.unref();
}

// SIPp finds the call by its Call-ID and does not ask where the INFO came from. One that is like an earlier one it takes for its repetition.
function sendInfo(callId, address, port, cue) {
  const socket = createSocket('udp4');
  const lines = [
    `INFO sip:cue@${address}:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-cue-${cue}`,
    'From: <sip:test@127.0.0.1>;tag=test',
    'To: <sip:cue@127.0.0.1>;tag=cue',
    `Call-ID: ${callId}`,
    `CSeq: ${cue} INFO`,
    'Max-Forwards: 70',
    'Content-Length: 0',
  ];
  return new Promise((resolve) => {
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, address, () => {
      socket.close();
      resolve();
    });
  });
}
