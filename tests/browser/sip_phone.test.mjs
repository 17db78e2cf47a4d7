// An agent answers on a SIP phone (C8): SIPp is the phone and the customer, the page only says that the agent is there.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { RATE } from '../support/audio.mjs';
import { decodeInPage } from '../support/browser.mjs';
import { recognise, SENTENCES } from '../support/speech.mjs';
import { Stage } from '../support/stage.mjs';
import { callerHearsAgent, step, storiesOn, understands } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
// One missed call is enough, so that what is no miss can be told from one.
before(() => stage.open({ phone: true, misses: 1 }));
after(() => stage.close());

const story = storiesOn(stage);

const agentHearsCaller = (phone) => understands('the agent', SENTENCES.caller, phone.audio.ear(), RATE);

/** In the page, before its own scripts: counts what it makes for sound. */
function countAudio() {
  const made = { peers: 0, microphones: 0, sounds: 0 };
  window.__audio = made;
  const counted = (name, key) => {
    window[name] = class extends window[name] {
      constructor(...args) {
        made[key] += 1;
        super(...args);
      }
    };
  };
  counted('RTCPeerConnection', 'peers');
  counted('AudioContext', 'sounds');
  const ask = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = function getUserMedia(...args) {
    made.microphones += 1;
    return ask.apply(this, args);
  };
}

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
  const channels = await decodeInPage(admin.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE);
  const [left, right] = await Promise.all(channels.map((side) => recognise(side)));
  assert.ok(left.includes(SENTENCES.caller) && !left.includes(SENTENCES.agent), `left: ${left}`);
  assert.ok(right.includes(SENTENCES.agent) && !right.includes(SENTENCES.caller), `right: ${right}`);
});

story('the customer hangs up, and so does the phone', async () => {
  const { mei } = stage;
  const phone = await stage.phone();
  const { audio, sipp } = await stage.customerCalls();
  await phone.rings;
  await mei.showsPhoneRinging();
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

story('the page of a phone needs no microphone, makes no sound and opens no peer; it declines, holds, mutes and hangs up', async () => {
  await stage.mei.choose('offline');
  await stage.mei.state('offline');
  const context = await stage.browser({ microphone: 'none' });
  await context.addInitScript(countAudio);
  const mei = await Workstation.logIn(context, stage.switch.url, stage.accounts.mei);
  await mei.goOnlineByPhone();

  await step('declined in the page, the phone stops', async () => {
    const phone = await stage.phone('phone_left_alone');
    const { sipp } = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
    await phone.rings;
    await mei.showsPhoneRinging();
    assert.equal(await mei.hook('answer').count(), 0, 'nothing to click that would do nothing');
    await mei.page.keyboard.press('Alt+A');
    await mei.choose('busy');
    await mei.click('decline');
    await phone.ended;
    await mei.ringsNoMore();
    await sipp.cue();
    await sipp.ended;
  });
  const silent = async () => assert.deepEqual(await mei.page.evaluate(() => window.__audio), { peers: 0, microphones: 0, sounds: 0 });
  await silent();
  await mei.choose('available');
  await mei.page.reload();
  await mei.state('available');

  const phone = await stage.phone();
  const { audio, sipp } = await stage.customerCalls();
  await phone.rings;
  await mei.showsPhoneRinging();
  await silent();
  await phone.cue();
  await mei.call({ phase: 'talking' });
  await callerHearsAgent(audio);
  await step('held, muted and ended from the page', async () => {
    await mei.click('hold');
    await mei.call({ held: 'true' });
    await mei.click('resume');
    await mei.call({ held: 'false' });
    await mei.click('mute');
    await mei.call({ muted: 'true' });
    await mei.click('hang-up');
    await Promise.all([phone.ended, sipp.ended]);
  });
  await silent();
  await context.close();
  await stage.meiAgain();
});

// C8, E1, E5
story('a call out rings the phone first, and the customer once it is lifted', async () => {
  const { mei } = stage;
  const phone = await stage.phone();
  const callee = await stage.callee();
  let rang = false;
  callee.rings.then(() => (rang = true), () => {});
  await mei.page.keyboard.press('Alt+O');
  await mei.hook('dial-number').fill('+44 7700 900162');
  await mei.click('dial');
  await phone.rings;
  await mei.call({ phase: 'dialling' });
  assert.match(await mei.hook('hearing').innerText(), /phone rings first/);
  assert.equal(rang, false, 'the customer is not called before');
  await phone.cue();
  await callee.rings;
  callee.talks();
  await callee.cue();
  await mei.call({ phase: 'talking' });
  await callerHearsAgent(callee.audio);
  await phone.cue();
  await Promise.all([phone.ended, callee.ended]);
  await mei.click('return-to-reception');
  await mei.state('available');
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

// B4, C8
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

// B4, C8
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
