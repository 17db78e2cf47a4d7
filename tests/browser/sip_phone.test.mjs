// An agent answers on a SIP phone (C8): SIPp is the phone and the customer, the page only says that the agent is there.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { decodeInPage } from '../support/browser.mjs';
import { recognise, SENTENCES } from '../support/speech.mjs';
import { Stage } from '../support/stage.mjs';
import { LONG_ENOUGH, callerHearsAgent, step, storiesOn, understands } from '../support/story.mjs';

const stage = new Stage();
// One missed call is enough, so that what is no miss can be told from one.
before(() => stage.open({ phone: true, misses: 1 }));
after(() => stage.close());

const story = storiesOn(stage);

const agentHearsCaller = (phone) =>
  understands('the agent', SENTENCES.caller, async () => recognise(await phone.audio.listen(LONG_ENOUGH)));

/** A colleague who works in a browser, and came later than Mei: calls go to her first. */
async function withTom(tell) {
  const tom = await stage.tom();
  await tom.goOnline();
  await tell(tom);
  await tom.click('return-to-reception');
  await tom.choose('offline');
  await tom.state('offline');
}

story('the phone rings without a page; each side hears the other; the phone hangs up; the call is on record', async () => {
  await stage.mei.page.close();
  const phone = await stage.phone();
  const { audio, sipp } = await stage.customerCalls();
  const { from } = await phone.rings;
  assert.match(from, /\+447700900123@/, 'the phone shows who calls');
  await audio.listen(1);
  const lifted = Date.now();
  await phone.cue();
  await step('a sentence of each side is recognised at the other', () => Promise.all([agentHearsCaller(phone), callerHearsAgent(audio)]));
  const hungUp = Date.now();
  await phone.cue();
  await Promise.all([phone.ended, sipp.ended]);
  await stage.meiAgain();

  const admin = await stage.admin();
  const record = await stage.recordOf(admin, sipp);
  assert.deepEqual([record.status, record.hungUpBy, record.agent, record.group], ['normal_end', 'agent', 'Mei Tanaka', 'Orders']);
  assert.ok(Math.abs(record.time - record.wait - sipp.placed) < 2000, `arrived at ${record.time - record.wait}, called at ${sipp.placed}`);
  assert.ok(Math.abs(record.time - lifted) < 2000, `began at ${record.time}, lifted at ${lifted}`);
  assert.ok(record.ring > 0 && record.ring <= record.wait, `rang for ${record.ring} ms of ${record.wait}`);
  assert.ok(Math.abs(record.time - record.wait + record.duration - hungUp) < 2000, 'ended when the phone hung up');
  const [left, right] = (await decodeInPage(admin.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE)).map((side) => recognise(side));
  assert.ok(left.includes(SENTENCES.caller) && !left.includes(SENTENCES.agent), `left: ${left}`);
  assert.ok(right.includes(SENTENCES.agent) && !right.includes(SENTENCES.caller), `right: ${right}`);
});

story('the customer hangs up, and so does the phone', async () => {
  const { mei } = stage;
  const phone = await stage.phone();
  const { audio, sipp } = await stage.customerCalls();
  await phone.rings;
  await mei.rings();
  await phone.cue();
  await mei.call({ phase: 'talking' });
  await audio.listen(1);
  await sipp.cue();
  await Promise.all([phone.ended, sipp.ended]);
  await mei.click('return-to-reception');
  await mei.state('available');
  const record = await stage.recordOf(mei, sipp);
  assert.deepEqual([record.status, record.hungUpBy], ['normal_end', 'customer']);
});

story('a caller who gives up stops the phone', async () => {
  const phone = await stage.phone('phone_left_alone');
  const { sipp } = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
  await phone.rings;
  await sipp.cue();
  await Promise.all([phone.ended, sipp.ended]);
  await stage.mei.state('available');
  const record = await stage.recordOf(await stage.admin(), sipp);
  assert.deepEqual([record.status, record.hungUpBy, record.agent], ['abandoned_ringing', 'customer', 'Mei Tanaka']);
});

story('a busy phone is no miss: the call goes to the next agent, and Mei rests for ten seconds with the reason shown', () =>
  withTom(async (tom) => {
    const { mei } = stage;
    const busy = await stage.phone('phone_busy');
    const { sipp } = await stage.customerCalls();
    const refused = await busy.rings;
    await tom.rings();
    await busy.ended;
    await mei.hook('rests').waitFor();
    assert.match(await mei.hook('rests').innerText(), /phone/i);
    await mei.state('available');
    await tom.click('answer');
    await tom.call({ phase: 'talking' });

    const phone = await stage.phone('phone_left_alone');
    const next = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
    const rested = (await phone.rings).at - refused.at;
    assert.ok(rested > 9_900 && rested < 15_000, `the phone rings again after ${rested} ms`);
    await next.sipp.cue();
    await Promise.all([phone.ended, next.sipp.ended]);
    await tom.click('hang-up');
    await sipp.ended;
    const record = await stage.recordOf(tom, sipp);
    assert.deepEqual([record.status, record.agent], ['normal_end', 'Tom Berg']);
  }));

story('a phone that nobody lifts stops, the call goes to the next agent, and the miss counts', () =>
  withTom(async (tom) => {
    const { mei } = stage;
    const phone = await stage.phone('phone_left_alone');
    // Whom nobody has served yet: else the last to serve them is first (C3).
    const { sipp } = await stage.customerCalls({ caller: '+447700900177' });
    const rang = await phone.rings;
    await tom.rings(20_000);
    const waited = Date.now() - rang.at;
    assert.ok(waited > 14_000, `rang for ${waited} ms`);
    await phone.ended;
    await mei.state('busy');
    await tom.click('answer');
    await tom.call({ phase: 'talking' });
    await tom.click('hang-up');
    await sipp.ended;
    await mei.choose('available');
    await mei.state('available');
  }));

story('a switch that was killed and started again rings the phone as before, without a page', async () => {
  await stage.mei.page.close();
  await stage.switch.kill();
  await stage.switch.start();
  const phone = await stage.phone();
  const { audio, sipp } = await stage.customerCalls();
  await phone.rings;
  await phone.cue();
  await callerHearsAgent(audio);
  await phone.cue();
  await Promise.all([phone.ended, sipp.ended]);
  await stage.meiAgain();
});
