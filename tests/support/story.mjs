// What the stories of calls are told with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_RATE, pageHears } from './browser.mjs';
import { recognise, SENTENCES } from './speech.mjs';

/** Two turns of a sentence: one of them is whole. */
export const LONG_ENOUGH = 9;

/** Tests on that stage that leave no call behind; one that fails leaves its traces, and a new stage for the next. */
export const storiesOn = (stage) => (name, tell) =>
  test(name, async () => {
    try {
      await tell();
    } catch (error) {
      await stage.leaveTraces(name);
      await stage.afresh();
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

/** Listens until the sentence is understood. Echo cancellers and recognisers miss one now and then; four in a row they do not. */
export async function understands(who, sentence, listen) {
  const heard = [];
  for (let turn = 0; turn < 4; turn++) {
    heard.push(...(await listen()));
    if (heard.includes(sentence)) return;
  }
  assert.fail(`${who} heard: ${heard.join(' / ') || 'nothing'}`);
}

export const agentHearsCaller = ({ page }) =>
  understands('the agent', SENTENCES.caller, async () => recognise(await pageHears(page, LONG_ENOUGH), PAGE_RATE));
export const callerHearsAgent = (audio) => understands('the caller', SENTENCES.agent, async () => recognise(await audio.listen(LONG_ENOUGH)));
