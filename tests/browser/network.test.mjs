// What a call in a browser outlives (B3): a network that is gone for a while, a closed lid, another address. The page has a network of its own,
// both hear each other again by content, and how soon is printed.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { decodeUlaw, likeness, loudness } from '../support/audio.mjs';
import { noteSound, soundSince } from '../support/browser.mjs';
import { Network } from '../support/network.mjs';
import { putToSleep } from '../support/sleep.mjs';
import { Stage } from '../support/stage.mjs';
import { recognise, SENTENCES, spoken } from '../support/speech.mjs';
import { agentHearsCaller, callerHearsAgent, LONG_ENOUGH, step, storiesOn } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
let network;
before(async () => {
  await stage.open({ agent: false });
  network = await Network.to(stage.switch);
});
after(async () => {
  await stage.close();
  network?.close();
});

const story = storiesOn(stage);

/** How long the network or the page is away: within the grace time. */
const AWAY = 20_000;

/** What the customer hears meanwhile. */
async function callerHearsMusic(audio) {
  const heard = await audio.listen(LONG_ENOUGH);
  assert.ok(loudness(heard) > 0.005, 'the caller hears music');
  assert.ok(likeness(heard, spoken(SENTENCES.agent)) < 0.5, 'the caller hears the agent');
  assert.ok(!(await recognise(heard)).includes(SENTENCES.agent), 'the caller understands the agent');
}

/** When (Date.now) the caller first heard the agent after that moment: half a second that is like what the agent says. */
function heardAgentSince({ heard }, moment) {
  const from = moment - performance.timeOrigin;
  const packets = heard.filter(({ at, type }) => at >= from && type === 0);
  const words = spoken(SENTENCES.agent);
  for (let first = 0; first < packets.length; first += 5) {
    const piece = decodeUlaw(Buffer.concat(packets.slice(first, first + 40).map(({ payload }) => payload)));
    // It is at the end of the first piece that holds it.
    if (likeness(piece, words, 0.5) > 0.7) return packets[Math.min(first + 40, packets.length) - 1].at - 500 + performance.timeOrigin;
  }
  return assert.fail('the agent is not heard');
}

// B3, A9
story('a call outlives 20 s without network, 20 s of sleep and a change of address: music meanwhile, the same call, and both hear each other again', async () => {
  const context = await stage.browser();
  await network.carry(context);
  const mei = await Workstation.logIn(context, network.url, stage.accounts.mei);
  await mei.goOnline();
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await noteSound(mei.page);
  // A reload would forget it.
  await mei.page.evaluate(() => { window.__same = true; });
  const returns = [];
  const bothHear = () => Promise.all([agentHearsCaller(mei), callerHearsAgent(audio)]);

  /** What the agent hears tells first that the path is back; then both understand. */
  const recovers = async (from, moment) => {
    const agent = await soundSince(mei.page, moment);
    await mei.call({ phase: 'talking' });
    await mei.hook('reconnecting').waitFor({ state: 'detached' });
    returns.push({ from, moment, agent });
    await bothHear();
    assert.ok(await mei.page.evaluate(() => window.__same), 'without a reload');
  };

  await step('both hear each other', bothHear);

  await step('the network is gone for 20 s', async () => {
    network.cut();
    const over = setTimeout(AWAY);
    await mei.hook('reconnecting').waitFor({ timeout: 15_000 });
    await callerHearsMusic(audio);
    await over;
    network.restore();
    await recovers('the network', Date.now());
  });

  await step('the computer sleeps for 20 s', async () => {
    const wake = putToSleep(context.folder);
    const over = setTimeout(AWAY);
    try {
      await callerHearsMusic(audio);
      await over;
    } finally {
      wake();
    }
    await recovers('sleep', Date.now());
  });

  await step('the address changes; the voice path is carried on as it is', async () => {
    let paths = 0;
    mei.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => (paths += `${payload}`.includes('"type":"openPeer"') ? 1 : 0)));
    const another = mei.page.waitForEvent('websocket', { timeout: 15_000 });
    network.moveTo('127.0.0.3');
    const moment = Date.now();
    await another;
    await recovers('the old address', moment);
    assert.equal(paths, 0, 'no new path is made');
  });

  await sipp.cue();
  await sipp.ended;
  await mei.click('return-to-reception');
  await mei.state('available');
  const [record, ...more] = await stage.recordsOf(mei, sipp);
  assert.deepEqual([record.status, record.hungUpBy, more], ['normal_end', 'customer', []], 'one call, one record');
  for (const { from, moment, agent } of returns) {
    const seconds = (at) => ((at - moment) / 1000).toFixed(1);
    console.log(`back from ${from}: the agent hears after ${seconds(agent)} s, the customer after ${seconds(heardAgentSince(audio, moment))} s`);
  }
});
