// What the stories of calls are told with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { RATE, writeWav } from './audio.mjs';
import { PAGE_RATE, pageEar } from './browser.mjs';
import { recognise, SENTENCES } from './speech.mjs';
import { traces } from './work_folder.mjs';

/** Seconds in which a sentence that is said again and again is heard, if not from its beginning. */
export const LONG_ENOUGH = 6;
/** Seconds in which it is heard from its beginning to its end. */
export const WHOLE_TURN = 8;

/** Tests on that stage that leave no call behind; one that fails leaves its traces, and a new stage for the next. */
export const storiesOn = (stage) => (name, tell) =>
  test(name, async () => {
    try {
      await tell();
    } catch (error) {
      await stage.leaveTraces(name);
      await stage.afresh().catch((why) => console.log(`No new stage: ${why}`));
      throw error;
    }
    await stage.hangUpAll();
  });

/** A part of a story, named where it fails. */
export async function step(name, act) {
  try {
    await act();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** Seconds after which a listener has understood. Recognisers miss a sentence now and then; not when it is said seven times. */
const PATIENCE = [5, 6, 7.5, 9, 12, 18, 28];

/** Listens with that ear, opened by `pageEar` or `CallerAudio.ear`, until the sentence is understood. */
export async function understands(who, sentence, ear, rate) {
  let samples;
  let heard;
  for (const seconds of PATIENCE) {
    samples = await ear(seconds);
    heard = await recognise(samples, rate);
    if (heard.includes(sentence)) return;
  }
  const sound = join(traces(who), 'heard.wav');
  writeWav(sound, samples, rate);
  assert.fail(`${who} heard: ${heard.join(' / ') || 'nothing'} (${sound})`);
}

export const agentHearsCaller = async ({ page }) => understands('the agent', SENTENCES.caller, await pageEar(page), PAGE_RATE);
export const callerHearsAgent = (audio) => understands('the caller', SENTENCES.agent, audio.ear(), RATE);
