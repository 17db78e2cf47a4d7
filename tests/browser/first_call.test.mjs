// A customer's call is answered in a browser, recorded, and on record: SIPp calls, Chromium answers, proven by content.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { decodeUlaw, likeness, loudness, RATE } from '../support/audio.mjs';
import { decodeInPage, throughTap } from '../support/browser.mjs';
import { breaks } from '../support/caller_audio.mjs';
import { Stage } from '../support/stage.mjs';
import { recognise, SENTENCES, spoken } from '../support/speech.mjs';
import { LONG_ENOUGH, agentHearsCaller, callerHearsAgent, step, storiesOn } from '../support/story.mjs';
import { UdpTap } from '../support/udp_tap.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

/** What the caller hears instead. */
async function callerDoesNotHearAgent(audio) {
  const heard = await audio.listen(LONG_ENOUGH);
  const like = likeness(heard, spoken(SENTENCES.agent));
  assert.ok(like < 0.5, `the caller hears the agent: likeness ${like.toFixed(2)}`);
  assert.ok(!(await recognise(heard)).includes(SENTENCES.agent), 'the caller understands the agent');
  return heard;
}

// C5, D2, D3, D8, G1, G4
story('each side hears the other; hold, resume and mute do what they say; the agent hangs up; the call is on record', async () => {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  let music;

  await step('the page rings and the caller hears music', async () => {
    await mei.rings();
    music = await audio.listen(3);
    assert.ok(loudness(music) > 0.005, 'the caller hears waiting music');
    assert.ok(likeness(music, spoken(SENTENCES.agent)) < 0.5, 'the agent is not heard before the answer');
  });
  const answered = Date.now();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await mei.state('inLine');

  await step('a sentence of each side is recognised at the other', async () => {
    await Promise.all([agentHearsCaller(mei), callerHearsAgent(audio)]);
  });

  await step('on hold the caller hears music and not the agent, and the agent hears the caller', async () => {
    const held = await mei.clickAt('hold');
    await mei.call({ phase: 'talking', held: 'true' });
    const [, heard] = await Promise.all([agentHearsCaller(mei), callerDoesNotHearAgent(audio)]);
    assert.ok(loudness(heard) > 0.005, 'the caller hears music');
    assert.deepEqual(breaks(audio.heard.filter(({ at }) => at > held - 1000)), [], 'one stream through the change');
  });

  await step('after resume both talk again', async () => {
    await mei.click('resume');
    await mei.call({ phase: 'talking', held: 'false' });
    await callerHearsAgent(audio);
  });

  // G4
  await step('the recording is paused while a card number is said', async () => {
    const recording = (paused) => mei.hook('pause-recording', `[aria-pressed="${paused}"]`);
    await mei.click('pause-recording');
    await recording(true).waitFor();
    await mei.click('pause-recording');
    await recording(false).waitFor();
  });

  await step('a muted agent is not heard and hears', async () => {
    await mei.click('mute');
    await mei.call({ phase: 'talking', muted: 'true' });
    await Promise.all([agentHearsCaller(mei), callerDoesNotHearAgent(audio)]);
    await mei.click('unmute');
    await mei.call({ phase: 'talking', muted: 'false' });
  });

  const hungUp = Date.now();
  await step('the agent hangs up, and after-call work counts down to available', async () => {
    await mei.click('hang-up');
    await sipp.ended;
    await mei.state('afterCallWork');
    await mei.hook('wrap-up').waitFor();
    await mei.state('available');
  });

  await step('the record has the right times and status, the recording both sides on their channels', async () => {
    const record = await stage.recordOf(mei, sipp);
    assert.equal(record.status, 'normal_end');
    assert.equal(record.hungUpBy, 'agent');
    assert.ok(Math.abs(record.time - answered) < 2000, `began at ${record.time}, answered at ${answered}`);
    assert.ok(Math.abs(record.time - record.wait + record.duration - hungUp) < 2000, 'ended when the agent hung up');
    assert.ok(record.hold > LONG_ENOUGH * 1000 - 1000 && record.hold < hungUp - answered, `held for ${record.hold} ms`);
    const [customer, agent] = await decodeInPage(mei.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE);
    const [left, right] = await Promise.all([recognise(customer), recognise(agent)]);
    assert.ok(left.includes(SENTENCES.caller) && !left.includes(SENTENCES.agent), `left: ${left}`);
    assert.ok(right.includes(SENTENCES.agent) && !right.includes(SENTENCES.caller), `right: ${right}`);
    assert.ok(Math.abs(customer.length / RATE - record.recording.duration / 1000) < 1, 'as long as the record says');
    await mei.click('records-link');
    await mei.hook('record-row', `[data-call="${record.call}"]`).click();
    await mei.click('play');
    await mei.hook('play', '[data-playing="true"]').waitFor();
    await stage.backToWork(mei);
  });
});

// B2, C9, D8
story('the customer hangs up; the agent ends after-call work', async () => {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await audio.listen(1);
  await sipp.cue();
  await sipp.ended;
  await mei.state('afterCallWork');
  await mei.click('return-to-reception');
  await mei.state('available');
  const record = await stage.recordOf(mei, sipp);
  assert.deepEqual([record.status, record.hungUpBy], ['normal_end', 'customer']);
});

// C9, G2
story('a caller who gives up before the answer leaves a record and no ringing', async () => {
  const { mei } = stage;
  const { sipp } = await stage.customerCalls({ scenario: 'cancel', did: stage.earlyDid });
  await mei.rings();
  await sipp.cue();
  await sipp.ended;
  await mei.ringsNoMore();
  await mei.state('available');
  const record = await stage.recordOf(await stage.admin(), sipp);
  assert.deepEqual([record.status, record.hungUpBy, record.agent], ['abandoned_ringing', 'customer', 'Mei Tanaka']);
});

// C5
story('a declined call goes to the next agent', async () => {
  const { mei } = stage;
  const tom = await stage.tom();
  await tom.goOnline();
  const { sipp } = await stage.customerCalls();
  const [first, second] = await Promise.race([mei.rings().then(() => [mei, tom]), tom.rings().then(() => [tom, mei])]);
  await first.click('decline');
  await second.rings();
  await first.ringsNoMore();
  await second.click('answer');
  await second.call({ phase: 'talking' });
  await second.click('hang-up');
  await sipp.ended;
  await second.click('return-to-reception');
  await tom.choose('offline');
  await tom.state('offline');
});

// D2, F7
story('after Answer no ICE or DTLS message is exchanged; music starts by the fifth packet after hold', async () => {
  const tap = await UdpTap.open(stage.switch.mediaPort);
  await stage.mei.choose('offline');
  const context = await stage.browser({ microphone: 'silent' });
  await throughTap(context, stage.switch.mediaPort, tap.port);
  const station = await Workstation.logIn(context, stage.switch.url, stage.accounts.mei);
  try {
    await station.goOnline();
    assert.ok(tap.packets.some(({ kind }) => kind === 'dtls'), 'the path was set up through the tap');
    const { audio, sipp } = await stage.customerCalls();
    await station.rings();
    await audio.listen(1);
    assert.equal(tap.packets.filter(({ kind, to }) => kind === 'rtp' && to === 'browser').length, 0, 'no voice before the answer');
    const clicked = await station.clickAt('answer');
    await station.call({ phase: 'talking' });
    await audio.listen(2);
    const toBrowser = tap.between(clicked, Infinity, 'rtp').filter(({ to }) => to === 'browser');
    const [first] = toBrowser;
    assert.ok(first, 'the customer reaches the browser');
    assert.equal(tap.between(clicked, Infinity, 'dtls').length, 0, 'no DTLS');
    // The browser goes on asking now and then whether the path still stands (RFC 7675): requests and their answers, nothing new.
    const checks = tap.between(clicked, first.at, 'stun');
    assert.ok(checks.length <= 2, `between the answer and the first voice: ${checks.length} STUN messages`);
    const commanded = station.sends('hold');
    await station.click('hold');
    const held = await commanded;
    await audio.listen(1);
    const afterwards = audio.heard.filter(({ at }) => at >= held);
    const music = afterwards.findIndex(({ payload }) => loudness(decodeUlaw(payload)) > 0.001);
    assert.ok(music >= 0 && music < 5, `the first music after the command is in packet ${music + 1}`);
    await station.click('hang-up');
    await sipp.ended;
    await station.click('return-to-reception');
  } finally {
    await station.choose('offline').catch(() => {});
    await context.close();
    tap.close();
    await stage.meiAgain();
  }
});

// B3
story('a network that goes away and comes back in a call: music for the customer, then the conversation again', async () => {
  const tap = await UdpTap.open(stage.switch.mediaPort);
  await stage.mei.choose('offline');
  const context = await stage.browser();
  await throughTap(context, stage.switch.mediaPort, tap.port);
  const station = await Workstation.logIn(context, stage.switch.url, stage.accounts.mei);
  await station.goOnline();
  const { audio, sipp } = await stage.customerCalls();
  await station.rings();
  await station.click('answer');
  await station.call({ phase: 'talking' });
  tap.cut = true;
  await station.call({ phase: 'reconnecting' }, 20_000);
  const heard = await callerDoesNotHearAgent(audio);
  assert.ok(loudness(heard) > 0.005, 'the caller hears music');
  tap.cut = false;
  await station.call({ phase: 'talking' }, 20_000);
  await Promise.all([agentHearsCaller(station), callerHearsAgent(audio)]);
  await station.click('hang-up');
  await sipp.ended;
  await station.click('return-to-reception');
  await context.close();
  tap.close();
  await stage.meiAgain();
});

// B3
story('a reload in a call keeps the call and the voices', async () => {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await mei.page.reload();
  await mei.call({ phase: 'talking' });
  await mei.peer('up');
  await Promise.all([agentHearsCaller(mei), callerHearsAgent(audio)]);
  await sipp.cue();
  await sipp.ended;
  await mei.click('return-to-reception');
  await mei.state('available');
  const record = await stage.recordOf(mei, sipp);
  assert.equal(record.status, 'normal_end');
});

// F6
story('a second tab shows the state and leaves the audio to the first until it takes it', async () => {
  const { mei } = stage;
  const second = await Workstation.another(mei.page.context(), stage.switch.url);
  await second.state('available');
  await second.hook('take-audio').waitFor();
  const { audio, sipp } = await stage.customerCalls();
  await Promise.all([mei.rings(), second.rings()]);
  await mei.click('answer');
  await Promise.all([mei.call({ phase: 'talking' }), second.call({ phase: 'talking' })]);
  await second.click('take-audio');
  await second.peer('up');
  await mei.hook('take-audio').waitFor();
  await Promise.all([agentHearsCaller(second), callerHearsAgent(audio)]);
  await second.click('hang-up');
  await sipp.ended;
  await mei.click('take-audio');
  await mei.peer('up');
  await second.page.close();
  await mei.click('return-to-reception');
  await mei.state('available');
});

// A9
story('a second login takes the session over, call and all', async () => {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  const context = await stage.browser();
  const elsewhere = await Workstation.logIn(context, stage.switch.url, stage.accounts.mei);
  await mei.hook('taken-over').waitFor();
  await elsewhere.peer('up');
  await elsewhere.call({ phase: 'talking' });
  await Promise.all([agentHearsCaller(elsewhere), callerHearsAgent(audio)]);
  await elsewhere.click('hang-up');
  await sipp.ended;
  await context.close();
  await stage.meiAgain();
});

// G5
story('killed in mid-call and started again: one interrupted record, a recording up to the kill, nobody stuck', async () => {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  const connected = Date.now();
  await Promise.all([agentHearsCaller(mei), callerHearsAgent(audio)]);
  await stage.switch.kill();
  const killed = Date.now();
  sipp.kill();
  await mei.hook('reconnecting').waitFor();
  await stage.switch.start();
  await mei.hook('reconnecting').waitFor({ state: 'detached', timeout: 60_000 });
  // As before the stop, without a touch.
  await mei.peer('up');
  await mei.state('available');
  const records = await stage.recordsOf(mei, sipp);
  assert.equal(records.length, 1, 'one record');
  const [record] = records;
  assert.equal(record.status, 'interrupted');
  assert.equal(record.recording.state, 'recovered');
  assert.ok(record.duration > killed - connected - 1000, `${record.duration} ms of ${killed - connected} on record`);
  assert.ok(record.recording.duration > killed - connected - 1000, `${record.recording.duration} ms of ${killed - connected}`);
  const [customer, agent] = await decodeInPage(mei.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE);
  assert.ok((await recognise(customer)).includes(SENTENCES.caller));
  assert.ok((await recognise(agent)).includes(SENTENCES.agent));
  // No channel is held and no agent stuck: the next call goes through.
  const next = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await next.sipp.cue();
  await next.sipp.ended;
});
