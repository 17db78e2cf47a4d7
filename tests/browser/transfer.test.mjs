// Blind transfer (D4): a customer goes from Mei to Tom, both in browsers; a target that says no leaves the call as it was.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { likeness, loudness, RATE } from '../support/audio.mjs';
import { decodeInPage } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { SENTENCES, spoken } from '../support/speech.mjs';
import { agentHearsCaller, callerHearsAgent, step, storiesOn } from '../support/story.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

const target = (station, kind, name) => station.hook(`target-${kind}`, `[data-name="${name}"]`);

/** A customer whom Mei talks to. */
async function withMei() {
  const { mei } = stage;
  const call = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  return { mei, ...call };
}

/** What the switch says to a request that the page would not make: over a socket of its own. */
const refusalOf = ({ page }, ask) =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/ws`);
        socket.onopen = () => socket.send(JSON.stringify({ id: 1, ask: wanted }));
        socket.onmessage = ({ data }) => {
          const { tell } = JSON.parse(data);
          if (tell.type !== 'refused' && tell.type !== 'done') return;
          socket.close();
          resolve(tell);
        };
      }),
    ask,
  );

story('to an agent: music until he answers, then both hear each other; two records, one recording, a segment of it each', async () => {
  const { mei, audio, sipp } = await withMei();
  const talked = performance.now();
  const tom = await stage.tom();
  await tom.goOnline();
  await audio.listen(4);

  await step('Mei finds Tom by his e-mail, with the keyboard alone', async () => {
    await mei.page.keyboard.press('Alt+G');
    await mei.hook('list-agents').press('Enter');
    await target(mei, 'agent', '1002').waitFor();
    assert.equal(await target(mei, 'agent', '1001').count(), 0, 'Mei is no target of her own');
    await mei.hook('target-search').pressSequentially('tom@exa');
    await target(mei, 'agent', '1000').waitFor({ state: 'detached' });
    await mei.hook('target-search').press('ArrowDown');
    await mei.hook('target-search').press('Enter');
  });
  const sent = performance.now();
  await mei.hook('wrap-up').waitFor();
  await mei.state('afterCallWork');
  await tom.rings();

  await step('the customer hears music and not Mei', async () => {
    const heard = await audio.listen(4);
    assert.ok(loudness(heard) > 0.005, 'the customer hears music');
    const like = likeness(heard, spoken(SENTENCES.agent));
    assert.ok(like < 0.5, `the customer hears Mei: likeness ${like.toFixed(2)}`);
  });

  await tom.click('answer');
  await tom.call({ phase: 'talking' });
  const answered = performance.now();
  await step('Tom and the customer hear each other', () => Promise.all([agentHearsCaller(tom), callerHearsAgent(audio)]));
  await sipp.cue();
  await sipp.ended;
  const over = performance.now();
  await tom.state('afterCallWork');
  await tom.choose('offline');

  await step('two records of one call, a segment of its one recording each', async () => {
    const admin = await stage.admin();
    const records = await stage.recordsOf(admin, sipp);
    const [first, second] = ['Mei Tanaka', 'Tom Berg'].map((name) => records.find(({ agent }) => agent === name));
    assert.equal(records.length, 2);
    assert.deepEqual([first.status, first.hungUpBy, second.status, second.hungUpBy], ['agent_transfer', 'agent', 'normal_end', 'customer']);
    assert.equal(first.call, second.call);
    assert.deepEqual(stage.switch.recordings, [`${first.call}.mp3`]);
    for (const [{ recording }, talk] of [[first, sent - talked], [second, over - answered]]) {
      assert.ok(Math.abs(recording.duration - talk) < 2000, `${recording.duration} ms recorded of ${talk} ms`);
      const sides = await decodeInPage(admin.page, `/api/v1/recordings/${recording.id}.mp3`, RATE);
      for (const side of sides) assert.ok(loudness(side) > 0.005, 'both sides are heard');
      assert.ok(Math.abs(sides[0].length / RATE - recording.duration / 1000) < 1, 'as long as the record says');
    }
  });
  await tom.state('offline');
  await mei.state('available');
});

story('to a group where nobody is online, and to nobody at all: refused in words, and the call goes on', async () => {
  const { mei, audio, sipp } = await withMei();
  await mei.click('transfer');
  await target(mei, 'group', 'Claims').click();
  await mei.click('transfer-start');
  const lead = mei.hook('transfer-lead', '[data-refused="noAgentOnline"]');
  await lead.waitFor();
  assert.match(await lead.innerText(), /nobody .* online/i);
  await mei.page.keyboard.press('Escape');
  await mei.hook('picker').waitFor({ state: 'detached' });
  assert.equal(await mei.hook('transfer').evaluate((control) => control === document.activeElement), true, 'the focus is back');

  const refusal = await refusalOf(mei, { type: 'transfer', call: 'any', to: { type: 'agent', id: 999_999 } });
  assert.deepEqual([refusal.type, refusal.code], ['refused', 'no_such_target']);
  assert.match(refusal.message, /not there any more\. Choose another\./);

  await mei.call({ phase: 'talking', held: 'false' });
  await callerHearsAgent(audio);
  await mei.click('hang-up');
  await sipp.ended;
  const records = await stage.recordsOf(mei, sipp);
  assert.deepEqual(records.map(({ status, hungUpBy }) => [status, hungUpBy]), [['normal_end', 'agent']]);
});
