// What callers hear while they wait (C2), understood by a recogniser: the welcome, their position, the group's announcement, until an agent answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { likeness, loudness, RATE, readWav } from '../support/audio.mjs';
import { Stage } from '../support/stage.mjs';
import { ANNOUNCEMENTS, recognise, SENTENCES } from '../support/speech.mjs';

const WELCOME = 'thank you for calling an agent will be with you shortly';
const position = (number) => `you are number ${number} in the queue`;
const BUSY = 'all our agents are busy';
const announcement = readWav(new URL('../../src/media/sounds/please-hold.wav', import.meta.url).pathname).samples;

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

/** A caller of the group that tells its callers, who hears it. */
async function waits(call) {
  const caller = await stage.customerCalls(call);
  await caller.audio.listen(0.2);
  return { ...caller, since: caller.audio.heard[0].at };
}

/** What a caller heard between two moments, in seconds of the wait. */
const sounds = ({ audio, since }, from, to) => audio.samples(since + from * 1000, since + to * 1000);

/** When what they are told begins again next, in seconds of the wait: every 10 s. Understanding it takes a busy machine its time. */
const nextRound = ({ since }) => Math.ceil(((performance.now() - since) / 1000 - 9.5) / 10) * 10 + 9.5;

/** What was said in it. */
async function told(caller, from, to) {
  const passed = () => performance.now() - caller.since > to * 1000;
  await caller.audio.when(passed, `${to} s of the wait`, to * 1000 + 20_000);
  return (await recognise(sounds(caller, from, to), RATE, ANNOUNCEMENTS)).join(' ');
}

test('callers are told the welcome, their position and what the group says, and the answer cuts that off', async () => {
  const { mei } = stage;
  try {
    await mei.choose('busy');
    await mei.state('busy');
    const first = await waits({ did: stage.toldDid });
    const second = await waits({ did: stage.toldDid });
    const third = await waits({ did: stage.toldEarlyDid, scenario: 'cancel' });
    assert.equal(await told(first, 0, 9), `${WELCOME} ${position('one')}`);
    assert.equal(await told(second, 0, 9), `${WELCOME} ${position('two')}`);
    assert.equal(await told(third, 0, 9), `${WELCOME} ${position('three')}`, 'in early media');
    assert.ok((await told(second, 9.5, 19)).startsWith(`${position('two')} ${BUSY}`), 'again, and the announcement after it');

    await first.sipp.cue();
    await first.sipp.ended;
    const moved = nextRound(second);
    assert.ok((await told(second, moved, moved + 9.5)).startsWith(position('one')), 'the second moves up');
    await third.sipp.cue();
    await third.sipp.ended;

    const last = nextRound(second);
    const next = second.since + last * 1000;
    await second.audio.when(() => loudness(second.audio.samples(next)) > 0.01, 'the next round', 40_000);
    await mei.choose('available');
    await mei.rings();
    await mei.click('answer');
    await mei.call({ phase: 'talking' });
    const connected = (performance.now() - second.since) / 1000;
    assert.ok(connected < last + 3.5, `answered before the announcement's last sentence: ${connected}`);
    const heard = [];
    for (let turn = 0; turn < 4 && !heard.at(-1)?.includes(SENTENCES.agent); turn++) {
      heard.push(await told(second, connected + turn * 9, connected + turn * 9 + 9));
    }
    assert.ok(heard.at(-1).includes(SENTENCES.agent), `the caller understands the agent: ${heard}`);
    const [before, afterwards] = [[9.5, 19], [connected, connected + 9]].map(([from, to]) => likeness(sounds(second, from, to), announcement));
    assert.ok(before > 0.7 && afterwards < 0.4, `like the announcement: ${before} while waiting, ${afterwards} in the conversation`);
    await mei.click('hang-up');
    await second.sipp.ended;
  } catch (error) {
    await stage.leaveTraces('announcements');
    throw error;
  }
});
