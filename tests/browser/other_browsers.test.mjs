// The whole of a call in the oldest browser that agents may use, Chromium 70, and in Firefox (F5): from log-in to the record's sound.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { likeness, loudness, RATE, toneShare } from '../support/audio.mjs';
import { decodeInPage } from '../support/browser.mjs';
import { networkAddress, openChromium70, openFirefox } from '../support/other_browsers.mjs';
import { SENTENCES, spoken } from '../support/speech.mjs';
import { Stage } from '../support/stage.mjs';
import { LONG_ENOUGH, agentHearsCaller, callerHearsAgent, step, storiesOn } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
before(() => stage.open({ agent: false, media: networkAddress() }));
after(() => stage.close());

const story = storiesOn(stage);

const saysSentence = {
  isHeard: callerHearsAgent,
  isIn: (sound) => likeness(sound, spoken(SENTENCES.agent)) > 0.6,
};
/** Firefox's own microphone. */
const TONE = 1000;
const isTone = (sound) => {
  const seconds = Array.from({ length: Math.floor(sound.length / RATE) }, (_, n) => sound.subarray(n * RATE, (n + 1) * RATE));
  return seconds.some((second) => loudness(second) > 0.005 && toneShare(second, TONE) > 0.9);
};
const saysTone = {
  isHeard: async (audio) => assert.ok(isTone(await audio.listen(3)), 'the caller hears the tone'),
  isIn: isTone,
};

for (const [name, open, voice] of [
  ['Chromium 70', openChromium70, saysSentence],
  ['Firefox', openFirefox, saysTone],
]) {
  // F5, C5, D2, D4, G4
  story(`${name}: log in, online, rung, answer, talk, hold, transfer, hang up, after-call work, the record played`, async () => {
    const tom = await stage.tom();
    const browser = await stage.otherBrowser(open, 'agent');
    const mei = await Workstation.logIn(browser, stage.switch.url, stage.accounts.mei);
    await mei.goOnline();

    const { audio, sipp } = await stage.customerCalls();
    await mei.rings();
    await mei.click('answer');
    await mei.call({ phase: 'talking' });
    await step('each side hears the other', () => Promise.all([agentHearsCaller(mei), voice.isHeard(audio)]));
    await step('on hold the caller hears music', async () => {
      await mei.click('hold');
      await mei.call({ phase: 'talking', held: 'true' });
      const heard = await audio.listen(LONG_ENOUGH);
      assert.ok(loudness(heard) > 0.005 && !voice.isIn(heard));
      await mei.click('resume');
      await mei.call({ phase: 'talking', held: 'false' });
    });
    await mei.click('hang-up');
    await sipp.ended;
    await mei.state('afterCallWork');
    await mei.click('return-to-reception');
    await mei.state('available');

    await step('the record is played', async () => {
      const record = await stage.recordOf(mei, sipp);
      assert.equal(record.status, 'normal_end');
      const [customer, agent] = await decodeInPage(mei.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE);
      assert.ok(likeness(customer, spoken(SENTENCES.caller)) > 0.6, 'the customer is on the left');
      assert.ok(voice.isIn(agent), 'the agent is on the right');
      await mei.click('records-link');
      await mei.hook('record-row', `[data-call="${record.call}"]`).click();
      await mei.click('play');
      await mei.hook('play', '[data-playing="true"]').waitFor();
      await stage.backToWork(mei);
    });

    await step('a call is transferred', async () => {
      const next = await stage.customerCalls();
      await mei.rings();
      await mei.click('answer');
      await mei.call({ phase: 'talking' });
      await tom.goOnline();
      await mei.click('transfer');
      await mei.click('list-agents');
      await mei.hook('target-agent', '[data-name="1002"]').click();
      await mei.click('transfer-start');
      await mei.state('afterCallWork');
      await mei.click('return-to-reception');
      await tom.rings();
      await tom.click('answer');
      await tom.call({ phase: 'talking' });
      await tom.click('hang-up');
      await next.sipp.ended;
      await tom.click('return-to-reception');
      await tom.choose('offline');
      await tom.state('offline');
    });
    await mei.choose('offline');
    await mei.state('offline');
    await browser.close();
  });
}
