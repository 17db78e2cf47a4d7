// Sentences, spoken by espeak-ng and understood by pocketsphinx.
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RATE, readWav, writeWav } from './audio.mjs';
import { newFolder } from './work_folder.mjs';

/** What the two sides say, and the network before the answer. The others are there to be mistaken for: a recogniser with one sentence hears it everywhere. */
export const SENTENCES = {
  caller: 'the order number is four seven one one',
  agent: 'your parcel will arrive on monday morning',
  network: 'please hold the line',
  colleague: 'the blue suitcase was found yesterday',
};
const OTHERS = ['good evening everybody', 'seven eight nine', 'can you hear me', 'no thank you'];

const run = promisify(execFile);
const work = newFolder('speech');
let made = 0;

/** Says a sentence once: a WAV file of that rate, with silence around it. */
export function say(sentence, { rate = RATE, voice = 'en-us', before = 0.3, after = 0.7 } = {}) {
  const name = join(work, `${made++}`);
  execFileSync('espeak-ng', ['-v', voice, '-s', '140', '-w', `${name}.raw.wav`, sentence]);
  execFileSync('sox', [`${name}.raw.wav`, '-r', `${rate}`, '-c', '1', '-b', '16', `${name}.wav`, 'norm', '-3', 'pad', `${before}`, `${after}`]);
  return `${name}.wav`;
}

/** Says it again and again for some minutes. */
export function sayForLong(sentence) {
  const once = say(sentence);
  const long = once.replace(/wav$/, 'long.wav');
  execFileSync('sox', [once, long, 'repeat', '60']);
  return long;
}

/** The sentence's samples at RATE. */
export const spoken = (sentence, options) => readWav(say(sentence, { ...options, rate: RATE })).samples;

/** The same as headerless µ-law, ready for RTP. */
export function spokenUlaw(sentence, options) {
  const wav = say(sentence, { ...options, rate: RATE });
  return execFileSync('sox', [wav, '-t', 'raw', '-e', 'mu-law', '-b', '8', '-'], { maxBuffer: 1 << 26 });
}

const CONVERSATION = `public <sentence> = ${[...Object.values(SENTENCES), ...OTHERS].join(' | ')};`;

/** What callers are told while they wait, and the agent who then answers. On a telephone line the recogniser tells only small numbers from each other. */
export const ANNOUNCEMENTS = `
public <told> = <welcome> [<position>] | <position> [<announcement>] | <announcement> | there are many callers ahead of you | please call again later
  | ${SENTENCES.agent};
<welcome> = thank you for calling an agent will be with you shortly;
<position> = you are number ( one | two | three | four | five ) in the queue;
<announcement> = all our agents are busy [ please stay on the line ] | please stay on the line;`;

/**
 * Resolves with what a recogniser finds in a sound, utterance by utterance, when people say nothing but what the grammar (JSGF) has.
 * Whoever plays a part in the call goes on meanwhile: packets that nobody reads get lost.
 */
export async function recognise(samples, rate = RATE, grammar = CONVERSATION) {
  const name = join(work, `${made++}`);
  writeFileSync(`${name}.gram`, `#JSGF V1.0;\ngrammar sentences;\n${grammar}\n`);
  writeWav(`${name}.wav`, samples, rate);
  // The model wants 16 kHz, and a little noise where a telephone line is digitally silent.
  await run('sox', ['-q', '-R', `${name}.wav`, '-r', '16000', `${name}.16k.wav`, 'norm', '-6', 'pad', '0.5', '0.5']);
  await run('sox', ['-q', '-R', `${name}.16k.wav`, `${name}.noise.wav`, 'synth', 'whitenoise', 'vol', '0.003']);
  await run('sox', ['-q', '-R', '-m', '-v', '1', `${name}.16k.wav`, '-v', '1', `${name}.noise.wav`, '-b', '16', `${name}.mixed.wav`]);
  const { stdout } = await run(
    'pocketsphinx_continuous',
    ['-infile', `${name}.mixed.wav`, '-jsgf', `${name}.gram`, '-logfn', '/dev/null', '-vad_threshold', '3.0'],
    { maxBuffer: 1 << 24 },
  );
  return stdout.split('\n').map((line) => line.trim()).filter(Boolean);
}
