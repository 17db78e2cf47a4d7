// What is in a recording: how long each side's own tone is heard on its channel, and whether another's is.
import { spawn } from 'node:child_process';
import { RATE, loudness, toneShare } from '../support/audio.mjs';

const WINDOW = RATE / 10;
/** The part of a window's energy that makes it one tone's. Neighbours 10 Hz away have none, for they fit the window in whole periods. */
const CLEAR = 0.6;
/** Hertz between neighbours: a gap in the window makes a tone look like the next one. */
const NEIGHBOUR = 10;
/** Below it is silence. */
const SILENCE = 0.02;

/** The two channels of an MP3, decoded by sox. */
export async function decode(mp3) {
  const sox = spawn('sox', ['-t', 'mp3', '-', '-t', 'raw', '-r', `${RATE}`, '-e', 'signed-integer', '-b', '16', '-c', '2', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const chunks = [];
  let said = '';
  sox.stdout.on('data', (chunk) => chunks.push(chunk));
  sox.stderr.on('data', (text) => (said += text));
  // What is wrong with the file sox says itself.
  sox.stdin.on('error', () => {});
  sox.stdin.end(mp3);
  const code = await new Promise((resolve, reject) => sox.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`sox ended with ${code}: ${said}`);
  const pcm = Buffer.concat(chunks);
  const channel = (offset) => Float32Array.from({ length: Math.floor(pcm.length / 4) }, (_, i) => pcm.readInt16LE(i * 4 + offset) / 32768);
  return [channel(0), channel(2)];
}

/**
 * How long this tone is heard, in seconds, and which of the `others` is heard anywhere. A busy machine leaves gaps, and then neither is.
 */
export function listen(samples, hertz, others) {
  let own = 0;
  const strangers = new Set();
  for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) {
    const window = samples.subarray(at, at + WINDOW);
    if (loudness(window) < SILENCE) continue;
    if (toneShare(window, hertz) > CLEAR) own += WINDOW / RATE;
    else {
      const stranger = others.find((other) => Math.abs(other - hertz) > NEIGHBOUR && toneShare(window, other) > CLEAR);
      if (stranger) strangers.add(stranger);
    }
  }
  return { own, strangers: [...strangers] };
}
