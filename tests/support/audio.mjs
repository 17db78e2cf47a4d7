// Sound as numbers: G.711 µ-law, WAV files, and how alike two sounds are. Samples are floats from -1 to 1.
import { readFileSync, writeFileSync } from 'node:fs';

/** Samples a second of everything these functions compare. */
export const RATE = 8000;

/** One µ-law byte as a sample (G.711). */
function fromUlaw(byte) {
  const bits = ~byte & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
  return (bits & 0x80 ? 0x84 - magnitude : magnitude - 0x84) / 32768;
}
const ULAW = Float32Array.from({ length: 256 }, (_, byte) => fromUlaw(byte));

export const decodeUlaw = (bytes) => Float32Array.from(bytes, (byte) => ULAW[byte]);

/** The WAV file's first channel, whatever its rate; `rate` says it. 16-bit PCM only. */
export function readWav(path) {
  const file = readFileSync(path);
  let rate = 0;
  let channels = 1;
  for (let at = 12; at + 8 <= file.length; ) {
    const [id, size] = [file.toString('latin1', at, at + 4), file.readUInt32LE(at + 4)];
    if (id === 'fmt ') [channels, rate] = [file.readUInt16LE(at + 10), file.readUInt32LE(at + 12)];
    if (id === 'data') {
      const count = Math.floor(Math.min(size, file.length - at - 8) / 2 / channels);
      const samples = Float32Array.from({ length: count }, (_, i) => file.readInt16LE(at + 8 + i * 2 * channels) / 32768);
      return { rate, samples };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error(`${path} is no WAV file`);
}

/** Writes one channel of 16-bit PCM. */
export function writeWav(path, samples, rate) {
  const file = Buffer.alloc(44 + samples.length * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + samples.length * 2, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, i) => file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), 44 + i * 2));
  writeFileSync(path, file);
}

/** Root mean square. */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/** The part of the sound's energy that is this tone, 0 to 1 (Goertzel). */
export function toneShare(samples, hertz, rate = RATE) {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [before, last, energy] = [0, 0, 0];
  for (const sample of samples) {
    [before, last] = [last, sample + turn * last - before];
    energy += sample * sample;
  }
  const power = last * last + before * before - turn * last * before;
  return energy ? Math.min(1, (2 * power) / (samples.length * energy)) : 0;
}

/**
 * How much of `wanted` is in `heard`, 0 to 1: the best normalised cross-correlation of any piece of `wanted` of that length
 * with any place in `heard`. The same sound gives 1, another about 0.2. Both at RATE.
 */
export function likeness(heard, wanted, seconds = 1) {
  const length = Math.min(Math.round(seconds * RATE), wanted.length);
  if (heard.length < length) return 0;
  const size = 2 ** Math.ceil(Math.log2(heard.length + length));
  const spectrumOfHeard = spectrum(heard, size);
  let best = 0;
  // What is nearly the same will not be more so elsewhere.
  for (let from = 0; from + length <= wanted.length && best < 0.95; from += Math.max(1, Math.floor(length / 2))) {
    const piece = wanted.subarray(from, from + length);
    // A piece of silence is like nothing.
    if (loudness(piece) < 0.02) continue;
    best = Math.max(best, bestMatch(heard, spectrumOfHeard, piece));
  }
  return best;
}

function bestMatch(heard, a, piece) {
  const size = a.re.length;
  const b = spectrum(piece, size);
  const product = { re: new Float64Array(size), im: new Float64Array(size) };
  for (let i = 0; i < size; i++) {
    product.re[i] = a.re[i] * b.re[i] + a.im[i] * b.im[i];
    // The inverse transform is a forward one of the conjugate.
    product.im[i] = -(a.im[i] * b.re[i] - a.re[i] * b.im[i]);
  }
  transform(product.re, product.im);
  const energyOfPiece = piece.reduce((sum, sample) => sum + sample * sample, 0);
  let energy = 0;
  let best = 0;
  for (let i = 0; i < heard.length; i++) {
    energy += heard[i] * heard[i] - (i >= piece.length ? heard[i - piece.length] ** 2 : 0);
    const start = i - piece.length + 1;
    if (start < 0 || energy < energyOfPiece * 1e-3) continue;
    best = Math.max(best, Math.abs(product.re[start] / size) / Math.sqrt(energy * energyOfPiece));
  }
  return best;
}

function spectrum(samples, size) {
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  re.set(samples);
  transform(re, im);
  return { re, im };
}

/** In-place fast Fourier transform; the length is a power of two. */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let length = 2; length <= n; length <<= 1) {
    const angle = (-2 * Math.PI) / length;
    const half = length / 2;
    const [cos, sin] = [new Float64Array(half), new Float64Array(half)];
    for (let k = 0; k < half; k++) [cos[k], sin[k]] = [Math.cos(angle * k), Math.sin(angle * k)];
    for (let start = 0; start < n; start += length) {
      for (let k = 0; k < half; k++) {
        const [i, j] = [start + k, start + k + half];
        const [x, y] = [re[j] * cos[k] - im[j] * sin[k], re[j] * sin[k] + im[j] * cos[k]];
        [re[j], im[j]] = [re[i] - x, im[i] - y];
        re[i] += x;
        im[i] += y;
      }
    }
  }
}
