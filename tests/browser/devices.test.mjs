// Device check (F4) and a headset that is unplugged in a call: the microphone heard by content, the tone by its pitch, the network measured.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { toneShare } from '../support/audio.mjs';
import { PAGE_RATE, pageHears } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { agentHearsCaller, callerHearsAgent, step, storiesOn } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
before(() => stage.open({ agent: false }));
after(() => stage.close());

const story = storiesOn(stage);

/** Tom at the device check. */
async function atDeviceCheck(microphone) {
  const browser = await stage.browser({ microphone });
  await browser.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stage.switch.url.slice(0, -1) });
  const tom = await Workstation.logIn(browser, stage.switch.url, stage.accounts.tom);
  await tom.click('state-menu');
  await tom.click('device-check-link');
  return tom;
}

const graded = (station, part, grade) => station.hook(`check-${part}`, `[data-grade="${grade}"]`).waitFor({ timeout: 30_000 });
const number = async (station, name) => Number.parseFloat(await station.hook(name).innerText());

story('before going online an agent sees that microphone, speaker, browser and network are good, and copies that', async () => {
  const tom = await atDeviceCheck('agent');

  await step('the microphone hears a voice, the network carries one', async () => {
    await graded(tom, 'microphone', 'ok');
    await graded(tom, 'network', 'ok');
    await tom.hook('verdict', '[data-grade="ok"]').waitFor();
    assert.ok((await number(tom, 'round-trip')) < 1000);
    assert.ok((await number(tom, 'loss')) < 2, await tom.hook('loss').innerText());
    assert.ok((await number(tom, 'jitter')) < 100);
    assert.ok(Number(await tom.hook('bandwidth').getAttribute('data-kbits')) > 960);
    assert.match(await tom.hook('check-network').innerText(), new RegExp(`127\\.0\\.0\\.1:${stage.switch.mediaPort}`));
  });

  await step('the speaker plays a tone, and the agent says that it was heard', async () => {
    await tom.click('play-tone');
    const heard = await pageHears(tom.page, 0.5);
    const pieces = Array.from({ length: 5 }, (_, n) => heard.slice((n * PAGE_RATE) / 10, ((n + 1) * PAGE_RATE) / 10));
    assert.ok(pieces.filter((piece) => toneShare(piece, 440, PAGE_RATE) > 0.9).length >= 3);
    await tom.click('heard-tone');
    await graded(tom, 'speaker', 'ok');
  });

  await step('the report is plain text', async () => {
    await tom.click('copy-report');
    await tom.hook('toast').waitFor();
    const report = await tom.page.evaluate(() => navigator.clipboard.readText());
    assert.match(report, /^Cordboard\n/);
    for (const part of ['Microphone', 'Speaker', 'Network to the switch', 'Browser']) assert.match(report, new RegExp(`^\\[ok\\] ${part}: `, 'm'));
    assert.match(report, /^Round trip: \d+ ms$/m);
  });

  await step('the choice of devices stays', async () => {
    const choose = tom.hook('choose-microphone');
    const [, second] = await choose.locator('option').evaluateAll((options) => options.map(({ value }) => value));
    await choose.selectOption(second);
    await graded(tom, 'microphone', 'ok');
    await tom.page.reload();
    await graded(tom, 'microphone', 'ok');
    assert.equal(await choose.inputValue(), second);
  });
  await tom.page.close();
});

story('a call rings on the device that the agent chose for it', async () => {
  const tom = await atDeviceCheck('agent');
  await graded(tom, 'microphone', 'ok');
  const choose = tom.hook('choose-ringer');
  const [, , wanted] = await choose.locator('option').evaluateAll((options) => options.map(({ value }) => value));
  await choose.selectOption(wanted);
  await tom.goOnline();
  const { sipp } = await stage.customerCalls();
  await tom.rings();
  await tom.page.waitForFunction((device) => {
    const element = window.__ears.elements.find(({ paused, sinkId }) => !paused && sinkId === device);
    if (!element) return false;
    if (!window.__ring) {
      const context = new AudioContext();
      window.__ring = context.createAnalyser();
      context.createMediaStreamSource(element.srcObject).connect(window.__ring);
    }
    const samples = new Float32Array(window.__ring.fftSize);
    window.__ring.getFloatTimeDomainData(samples);
    return samples.some((sample) => Math.abs(sample) > 0.05);
  }, wanted);
  await tom.click('decline');
  await tom.page.waitForFunction((device) => !window.__ears.elements.some(({ paused, sinkId }) => !paused && sinkId === device), wanted);
  await sipp.giveUp();
  await tom.choose('offline');
  await tom.page.close();
});

/** Keeps the page's connections for the test to ask them. */
function keepPeers() {
  window.__peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...how) {
      super(...how);
      window.__peers.push(this);
    }
  };
}

story('a line that is measured too narrow for G.711 carries calls in Opus', async () => {
  const browser = await stage.browser({ microphone: 'agent' });
  await browser.addInitScript(keepPeers);
  const tom = await Workstation.logIn(browser, stage.switch.url, stage.accounts.tom);
  const line = await browser.newCDPSession(tom.page);
  await line.send('Network.enable');
  const narrow = { offline: false, latency: 0, downloadThroughput: 10_000, uploadThroughput: 10_000 };
  await line.send('Network.emulateNetworkConditions', narrow);
  await tom.click('state-menu');
  await tom.click('device-check-link');
  await graded(tom, 'network', 'warn');
  assert.match(await tom.hook('check-network').innerText(), /Opus/);
  await line.send('Network.emulateNetworkConditions', { ...narrow, downloadThroughput: -1, uploadThroughput: -1 });
  await tom.page.goBack();
  await tom.goOnline();
  const { audio, sipp } = await stage.customerCalls();
  await tom.rings();
  await tom.click('answer');
  await tom.call({ phase: 'talking' });
  await Promise.all([callerHearsAgent(audio), agentHearsCaller(tom)]);
  const codecs = await tom.page.evaluate(async () => {
    const stats = [...(await window.__peers[window.__peers.length - 1].getStats()).values()];
    const codecOf = ({ codecId }) => stats.find(({ id }) => id === codecId).mimeType;
    return stats.filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp').map(codecOf);
  });
  assert.deepEqual(codecs, ['audio/opus', 'audio/opus']);
  await tom.click('hang-up');
  await sipp.ended;
  await tom.click('return-to-reception');
  await tom.choose('offline');
  await tom.page.close();
});

story('a microphone that hears nothing, and one that is not there, are told with what to do', async () => {
  const silent = await atDeviceCheck('silent');
  await graded(silent, 'microphone', 'warn');
  assert.match(await silent.hook('check-microphone').innerText(), /mute switch/);
  await silent.page.close();
  const without = await atDeviceCheck('none');
  await graded(without, 'microphone', 'fail');
  await without.hook('verdict', '[data-grade="fail"]').waitFor();
  await without.page.close();
});

/** Lets a test unplug the fake microphones and plug them in again. */
function pluggable() {
  const devices = navigator.mediaDevices;
  const [list, take] = [devices.enumerateDevices.bind(devices), devices.getUserMedia.bind(devices)];
  const headset = { gone: new Set(), tracks: [] };
  window.__headset = headset;
  devices.enumerateDevices = async () => (await list()).filter(({ kind, label }) => kind !== 'audioinput' || !headset.gone.has(label));
  devices.getUserMedia = async ({ audio }) => {
    const there = (await devices.enumerateDevices()).filter(({ kind }) => kind === 'audioinput');
    const { deviceId } = there.find(({ deviceId: id }) => id === audio.deviceId?.ideal) ?? there[0];
    const stream = await take({ audio: { ...audio, deviceId: deviceId ? { exact: deviceId } : undefined } });
    headset.tracks.push(...stream.getAudioTracks());
    return stream;
  };
  headset.unplug = () => {
    const track = headset.tracks.filter(({ readyState }) => readyState === 'live').pop();
    headset.gone.add(track.label);
    track.stop();
    track.dispatchEvent(new Event('ended'));
    devices.dispatchEvent(new Event('devicechange'));
    return track.label;
  };
  headset.plugIn = () => {
    headset.gone.clear();
    devices.dispatchEvent(new Event('devicechange'));
  };
}

story('a headset that is unplugged in a call: another microphone goes on with it, and the headset again when it is back', async () => {
  const browser = await stage.browser();
  await browser.addInitScript(pluggable);
  const tom = await Workstation.logIn(browser, stage.switch.url, stage.accounts.tom);
  await tom.goOnline();
  const { audio, sipp } = await stage.customerCalls();
  await tom.rings();
  await tom.click('answer');
  await tom.call({ phase: 'talking' });
  await callerHearsAgent(audio);
  let paths = 0;
  tom.sends('openPeer').then(() => paths++);

  const label = await tom.page.evaluate(() => window.__headset.unplug());
  await step('a calm line says which microphone stands in, and the caller hears the agent', async () => {
    await tom.hook('stand-in').waitFor();
    assert.ok((await tom.hook('stand-in').innerText()).includes(label));
    await callerHearsAgent(audio);
    await tom.call({ phase: 'talking' }, 1000);
  });
  await step('it is plugged in again', async () => {
    await tom.page.evaluate(() => window.__headset.plugIn());
    await tom.hook('stand-in').waitFor({ state: 'detached' });
    const used = await tom.page.evaluate(() => window.__headset.tracks.filter(({ readyState }) => readyState === 'live').map((track) => track.label));
    assert.deepEqual(used, [label]);
    await callerHearsAgent(audio);
  });
  assert.equal(paths, 0, 'one voice path through all of it');
  await tom.click('hang-up');
  await sipp.ended;
  await tom.page.close();
});
