// The mobile as an agent's device, as the page shows it (C7, F1): its switch, the answer bar without a button, and the way back to the headset.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Stage } from '../support/stage.mjs';
import { step, storiesOn } from '../support/story.mjs';

const NUMBER = '+447700900162';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

const post = (station, path, form) =>
  station.page.evaluate(
    async ([path, body]) => (await fetch(`/api/v1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
    [path, JSON.stringify(form)],
  );

async function bindMobile(station) {
  const ada = await stage.admin();
  assert.equal(await post(station, 'mobile/code', { old: null, mobile: NUMBER }), 204);
  const [{ text }] = await ada.page.evaluate(() => fetch('/api/v1/sms-outbox').then((answer) => answer.json()));
  assert.equal(await post(station, 'mobile', { old: null, mobile: NUMBER, code: text.match(/\d{6}/)[0] }), 200);
}

async function switches(station, name, on) {
  await station.click('state-menu');
  await station.click(name);
  await station.hook(name, `[aria-checked="${on}"]`).waitFor();
  await station.page.keyboard.press('Escape');
}

// C7, F1, F7
story('Mei answers on her mobile: the bar has no button, the call is hers by key 1, and the headset has the next one', async () => {
  const { mei } = stage;
  await step('without a number', async () => {
    await mei.click('state-menu');
    for (const name of ['mobile-answering', 'mobile-outbound']) assert.ok(await mei.hook(name).isDisabled(), name);
    await mei.hook('mobile-none').waitFor();
    await mei.page.keyboard.press('Escape');
  });
  await bindMobile(mei);
  await mei.page.reload();
  await mei.peer('up');
  await switches(mei, 'mobile-answering', true);
  await step('another page comes to the same', async () => {
    await mei.page.reload();
    await mei.state('available');
    await mei.click('state-menu');
    await mei.hook('mobile-answering', '[aria-checked="true"]').waitFor();
    await mei.hook('mobile-outbound', '[aria-checked="false"]').waitFor();
    await mei.page.keyboard.press('Escape');
  });

  const mobile = await stage.callee();
  const { sipp } = await stage.customerCalls();
  await mobile.rings;
  await mei.hook('answer-on-mobile').waitFor();
  assert.deepEqual([await mei.hook('answer').count(), await mei.hook('decline').count()], [0, 1]);
  await mobile.cue();
  await mobile.audio.listen(1);
  await mobile.audio.press('1');
  await mei.call({ phase: 'talking' });
  // For the next call; this one goes on.
  await switches(mei, 'mobile-answering', false);
  await mei.call({ phase: 'talking' });
  await sipp.cue();
  await Promise.all([sipp.ended, mobile.ended]);
  await mei.click('return-to-reception');
  await mei.peer('up');
  await mei.state('available');
  await stage.customerCalls();
  await mei.rings();
});
