// The mobile as the page shows it (C7, E2, E3, F1): its switches, the answer bar without a button, the way back to the headset, a call out that begins at
// the mobile, and a colleague who is called on theirs.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { answersBefore } from '../support/sipp.mjs';
import { SENTENCES } from '../support/speech.mjs';
import { Stage } from '../support/stage.mjs';
import { agentHearsCaller, callerHearsAgent, step, storiesOn, understands } from '../support/story.mjs';

const NUMBER = '+447700900162';
const TOMS = '+447700900163';
const CUSTOMER = '+447700900123';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

const post = (station, path, form) =>
  station.page.evaluate(
    async ([path, body]) => (await fetch(`/api/v1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
    [path, JSON.stringify(form)],
  );

async function bindMobile(station, mobile) {
  const ada = await stage.admin();
  assert.equal(await post(station, 'mobile/code', { old: null, mobile }), 204);
  const [{ text }] = await ada.page.evaluate(() => fetch('/api/v1/sms-outbox').then((answer) => answer.json()));
  assert.equal(await post(station, 'mobile', { old: null, mobile, code: text.match(/\d{6}/)[0] }), 200);
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
  await bindMobile(mei, NUMBER);
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

// E3, F2
story('Tom is not online: the pad offers his mobile, which rings; both hear each other; once he is online he is called as usual', async () => {
  const { mei } = stage;
  const tom = await stage.tom();
  await bindMobile(tom, TOMS);
  const findTom = async () => {
    await mei.page.keyboard.press('Alt+O');
    await mei.click('dial-colleague-side');
    await mei.hook('colleague-search').fill('tom@exa');
    await mei.hook('colleague', '[data-name="1002"]').click();
  };
  await findTom();
  await mei.hook('call-mobile').waitFor();
  assert.match(await mei.hook('colleague-lead').innerText(), /Tom Berg is not online. You can call the mobile/);
  const mobile = await stage.callee();
  await mei.click('call-mobile');
  const { from, to } = await mobile.rings;
  assert.ok(to.includes(TOMS) && from.includes(stage.did), `${from} calls ${to}`);
  await mei.call({ phase: 'ringing' });
  assert.equal(await mei.hook('left-internal', '[aria-pressed="true"]').count(), 1, 'it stands among the internal conversations');
  mobile.talks();
  await mobile.cue();
  await mei.call({ phase: 'talking' });
  await step('both hear each other', () => Promise.all([agentHearsCaller(mei), callerHearsAgent(mobile.audio)]));
  assert.ok(!(await mei.page.content()).includes(TOMS.slice(-6)), 'the number stays in the switch');
  await mobile.cue();
  await mobile.ended;
  await mei.state('available');

  await findTom();
  await mei.hook('call-mobile').waitFor();
  await tom.goOnline();
  await mei.hook('call-colleague', ':enabled').waitFor();
  assert.equal(await mei.hook('call-mobile').count(), 0);
  await mei.page.keyboard.press('Escape');
});

async function dial(station, number) {
  await station.page.keyboard.press('Alt+O');
  await station.click('dial-number-side');
  await station.hook('dial-number').fill(number);
  await station.hook('dial-number').press('Enter');
}

const sees = (station, key) => station.hook('hearing', `[data-hears="${key}"]`).waitFor({ timeout: 10_000 });

// E2, E5, F1
story('Mei calls out by her mobile: the page tells that it rings, then that the customer does, then shows the call, and can end it', async () => {
  const { mei } = stage;
  await switches(mei, 'mobile-outbound', true);
  const [mobile, customer] = await stage.calleesInTurn();
  await dial(mei, CUSTOMER);
  const first = await mobile.rings;
  assert.ok(first.to.includes(NUMBER), `rung first is ${first.to}`);
  await mei.call({ phase: 'dialling' });
  await sees(mei, 'dialling');
  assert.match(await mei.hook('hearing').innerText(), /Your mobile rings first/);
  assert.equal(await mei.hook('dial-pad').count(), 0, 'the pad makes room');
  // Not what the microphone of the page says.
  mobile.talks(SENTENCES.colleague);
  await mobile.cue();
  const next = await customer.rings;
  assert.ok(next.to.includes(CUSTOMER), `rung next is ${next.to}`);
  assert.ok(answersBefore(mobile.trace(), NUMBER, CUSTOMER), 'the customer is not called before the mobile is answered');
  await mei.call({ phase: 'ringing' });
  await sees(mei, 'ringing');
  customer.talks();
  await customer.cue();
  await mei.call({ phase: 'talking' });
  await sees(mei, 'talking');
  await step('mobile and customer hear each other', () =>
    Promise.all([
      understands('the mobile', SENTENCES.caller, mobile.audio.ear(), RATE),
      understands('the customer', SENTENCES.colleague, customer.audio.ear(), RATE),
    ]),
  );
  await mei.click('hang-up');
  await Promise.all([mobile.ended, customer.ended]);
  await mei.click('return-to-reception');
  await mei.state('available');

  await step('a mobile that declines', async () => {
    const declining = await stage.callee('callee_refuses', { words: { status: 603, phrase: 'Decline', reason: 'X-Cause: none' } });
    await dial(mei, CUSTOMER);
    assert.ok((await declining.rings).to.includes(NUMBER));
    await mei.hook('failed', '[data-outcome="agent_lost"]').waitFor({ timeout: 10_000 });
    assert.match(await mei.hook('failed-why').innerText(), /rejected at your mobile/);
    await declining.ended;
    await mei.state('available');
  });
  await switches(mei, 'mobile-outbound', false);
});
