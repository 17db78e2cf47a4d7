// A crowd of customers: one SIPp process for each tone that customers send.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RATE } from '../support/audio.mjs';
import { freePort } from '../support/ports.mjs';
import { newFolder } from '../support/work_folder.mjs';

const scenario = join(import.meta.dirname, '../sip/crowd.xml');
const MOST_OF_A_LOG = 4000;

/**
 * Places one call from each of `customers` (their numbers, and how many milliseconds they talk), at most `atOnce` together, `rate` new ones a second. Resolves when all have talked and hung up;
 * rejects with SIPp's log when a call went another way. `rtpPorts` is the first port for its voices.
 */
export async function crowd({ sipPort, did, customers, hertz, atOnce, rate, rtpPorts }) {
  const folder = newFolder('crowd');
  writeFileSync(join(folder, 'tone.ulaw'), tone(hertz));
  writeFileSync(join(folder, 'callers.csv'), `SEQUENTIAL\n${customers.map(({ caller, talk }) => `${caller};${talk};`).join('\n')}\n`);
  const port = await freePort();
  const sipp = spawn(
    'sipp',
    [
      `127.0.0.1:${sipPort}`, '-sf', scenario, '-inf', 'callers.csv', '-key', 'did', did, '-i', '127.0.0.1', '-p', `${port}`,
      '-m', `${customers.length}`, '-l', `${atOnce}`, '-r', `${rate}`, '-mp', `${rtpPorts}`,
      '-nostdin', '-nd', '-default_behaviors', '-bye', '-trace_err', '-error_file', 'errors', '-timeout', '240', '-timeout_error',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [sipp.stdout, sipp.stderr]) stream.on('data', (bytes) => (said = (said + bytes).slice(-MOST_OF_A_LOG)));
  const code = await new Promise((resolve, reject) => sipp.on('error', reject).on('close', resolve));
  if (code === 0) return;
  const errors = join(folder, 'errors');
  const log = existsSync(errors) ? readFileSync(errors, 'utf8').slice(0, MOST_OF_A_LOG) : '';
  throw new Error(`SIPp (customers who send ${hertz} Hz) ended with ${code}\n${log}\n${said}`);
}

/** A second of a tone as µ-law, a quarter of full scale. Whole hertz: it repeats without a seam. */
function tone(hertz) {
  return Uint8Array.from({ length: RATE }, (_, i) => toUlaw(Math.round(8000 * Math.sin((2 * Math.PI * hertz * i) / RATE))));
}

/** G.711. */
function toUlaw(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), 32635) + 0x84;
  const exponent = Math.floor(Math.log2(biased)) - 7;
  return ~(sign | (exponent << 4) | ((biased >> (exponent + 3)) & 0x0f)) & 0xff;
}
