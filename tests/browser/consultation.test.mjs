// Consultation and conference (D5): Mei asks Tom, or a number, while her customer waits; who hears whom is told by what they say, each a sentence of their own.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { likeness, loudness, RATE } from '../support/audio.mjs';
import { PAGE_RATE, pageEar, pageHears, speaks, tameTongue } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { SENTENCES, spoken, spokenUlaw } from '../support/speech.mjs';
import { LONG_ENOUGH, step, storiesOn, understands } from '../support/story.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

/** A frame of µ-law zeroes. */
const SILENCE = Buffer.alloc(160, 0xff);

/** Mei talks to a customer; each of the two can be made to say nothing. */
async function two() {
  const { mei } = stage;
  await mei.choose('offline');
  await tameTongue(mei.page);
  await mei.goOnline();
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  const talked = performance.now();
  const people = {
    caller: voice(audio, 'caller'),
    agent: { ear: () => pageEar(mei.page), rate: PAGE_RATE, speaks: (loudly) => speaks(mei.page, loudly) },
  };
  return { mei, audio, sipp, talked, people };
}

/** And Tom has come online. */
async function three() {
  const talk = await two();
  const tom = await stage.tom({ microphone: 'colleague' });
  await tameTongue(tom.page);
  await tom.goOnline();
  talk.people.colleague = { ear: () => pageEar(tom.page), rate: PAGE_RATE, speaks: (loudly) => speaks(tom.page, loudly) };
  return { ...talk, tom };
}

/** Somebody behind a carrier. */
function voice(audio, sentence) {
  const speech = spokenUlaw(SENTENCES[sentence]);
  return { ear: () => audio.ear(), rate: RATE, speaks: (loudly) => audio.say(loudly ? speech : SILENCE) };
}

/** Who is named first hears who is named second. */
const hear = (people, ...pairs) =>
  Promise.all(pairs.map(async ([name, mouth]) => understands(`the ${name}`, SENTENCES[mouth], await people[name].ear(), people[name].rate)));

/** In turn each speaks alone, and the two others understand. */
async function eachHearsTheOthers(people) {
  for (const mouth of Object.keys(people)) {
    const others = Object.keys(people).filter((name) => name !== mouth);
    await Promise.all(Object.entries(people).map(([name, { speaks }]) => speaks(name === mouth)));
    await hear(people, ...others.map((ear) => [ear, mouth]));
  }
  await Promise.all(Object.values(people).map(({ speaks }) => speaks(true)));
}

/** Music, and none of these sentences. */
function isMusic(heard, ...mouths) {
  assert.ok(loudness(heard) > 0.005, 'music is heard');
  for (const mouth of mouths) {
    const like = likeness(heard, spoken(SENTENCES[mouth]));
    assert.ok(like < 0.5, `the ${mouth} is heard: likeness ${like.toFixed(2)}`);
  }
}

const halfOf = (samples) => samples.filter((_, index) => index % (PAGE_RATE / RATE) === 0);

const shows = (station, hears) => station.hook('hearing', `[data-hears="${hears}"]`).waitFor({ timeout: 10_000 });

const consultTom = async ({ mei, tom }) => {
  await mei.click('consult');
  await mei.click('list-agents');
  await mei.hook('target-agent', '[data-name="1002"]').click();
  await mei.click('consult-start');
  await shows(mei, 'ringing');
  await tom.rings();
  await tom.click('answer');
  await Promise.all([shows(mei, 'third'), shows(tom, 'guestThird')]);
};

story('Tom is asked, swapped, joined by all three, and takes the customer; two records, the second hears of the recording what he was there for', async () => {
  const { mei, tom, audio, sipp, talked, people } = await three();

  await step('Mei asks Tom with the keyboard alone; the customer hears music meanwhile', async () => {
    await mei.page.keyboard.press('Alt+C');
    await mei.hook('list-agents').press('Enter');
    await mei.hook('target-search').pressSequentially('tom@exa');
    await mei.hook('target-search').press('ArrowDown');
    await mei.hook('target-search').press('Enter');
    await shows(mei, 'ringing');
    await tom.rings();
    isMusic(await audio.listen(2), 'agent');
    for (const control of ['hold', 'transfer', 'consult']) assert.ok(await mei.hook(control).isDisabled(), control);
    await tom.click('answer');
    await Promise.all([shows(mei, 'third'), shows(tom, 'guestThird')]);
  });

  await step('the two hear each other, the customer neither', async () => {
    const [, , heard] = await Promise.all([hear(people, ['agent', 'colleague']), hear(people, ['colleague', 'agent']), audio.listen(LONG_ENOUGH)]);
    isMusic(heard, 'agent', 'colleague');
    for (const control of ['hold', 'mute', 'transfer', 'consult', 'open-keypad']) assert.equal(await tom.hook(control).count(), 0, `a guest has no ${control}`);
  });

  await step('swapped, Mei and the customer hear each other, and Tom music', async () => {
    await mei.page.keyboard.press('Alt+N');
    await Promise.all([shows(mei, 'customer'), shows(tom, 'guestCustomer')]);
    const [, heard] = await Promise.all([hear(people, ['agent', 'caller'], ['caller', 'agent']), pageHears(tom.page, LONG_ENOUGH)]);
    isMusic(halfOf(heard), 'caller', 'agent');
  });

  await mei.page.keyboard.press('Alt+U');
  await Promise.all([shows(mei, 'all'), shows(tom, 'guestAll')]);
  const conferenced = performance.now();
  await step('in the conference each of the three hears the two others', () => eachHearsTheOthers(people));

  await mei.page.keyboard.press('Alt+G');
  const completed = performance.now();
  await mei.hook('wrap-up').waitFor();
  await mei.state('afterCallWork');
  await tom.hook('call', '[data-phase="talking"] [data-test="hold"]:enabled').waitFor();
  await step('Tom and the customer hear each other', () => hear(people, ['colleague', 'caller'], ['caller', 'colleague']));
  await sipp.cue();
  await sipp.ended;
  const over = performance.now();
  await tom.state('afterCallWork');
  await tom.choose('offline');

  await step('two records of one call', async () => {
    const records = await stage.recordsOf(await stage.admin(), sipp);
    const [first, second] = ['Mei Tanaka', 'Tom Berg'].map((name) => records.find(({ agent }) => agent === name));
    assert.equal(records.length, 2);
    assert.equal(first.call, second.call);
    assert.deepEqual([first.status, first.hungUpBy, second.status, second.hungUpBy], ['agent_transfer', 'agent', 'normal_end', 'customer']);
    assert.deepEqual(stage.switch.recordings, [`${first.call}.mp3`]);
    for (const [{ recording }, there] of [[first, completed - talked], [second, over - conferenced]]) {
      assert.ok(Math.abs(recording.duration - there) < 2000, `${recording.duration} ms recorded of ${there} ms`);
    }
  });
  await tom.state('offline');
  await mei.state('available');
});

story('Tom hangs up and Mei is back with the customer; asked again, he and she go on when the customer has hung up', async () => {
  const { mei, tom, sipp, people } = await three();
  await consultTom({ mei, tom });
  await tom.click('hang-up');
  await shows(mei, 'talking');
  await tom.state('available');
  await step('Mei and the customer hear each other', () => hear(people, ['agent', 'caller'], ['caller', 'agent']));

  await consultTom({ mei, tom });
  await step('the two agents hear each other', () => hear(people, ['agent', 'colleague'], ['colleague', 'agent']));
  await sipp.cue();
  await sipp.ended;
  await Promise.all([shows(mei, 'left'), shows(tom, 'guestLeft')]);
  await step('the two agents hear each other without the customer', () => hear(people, ['agent', 'colleague'], ['colleague', 'agent']));
  await tom.click('hang-up');
  await Promise.all([mei.state('afterCallWork'), tom.state('available')]);
  await tom.choose('offline');

  const records = await stage.recordsOf(await stage.admin(), sipp);
  const told = records.map(({ agent, status, hungUpBy, recording }) => [agent, status, hungUpBy, recording !== null]).sort();
  assert.deepEqual(told, [
    ['Mei Tanaka', 'normal_end', 'customer', true],
    ['Tom Berg', 'normal_end', 'agent', false],
    ['Tom Berg', 'normal_end', 'agent', false],
  ]);
});

// D5, E5
story('a number is asked: Mei hears it before and after its answer, joins all three, and leaves the customer with it', async () => {
  const { mei, audio, sipp, people } = await two();
  const callee = await stage.callee();
  people.network = voice(callee.audio, 'network');
  await mei.click('consult');
  await mei.click('list-number');
  await mei.hook('consult-number').fill('+44 7700 900162');
  await mei.hook('consult-number').press('Enter');
  const { to } = await callee.rings;
  assert.match(to, /sip:\+447700900162@/);
  await shows(mei, 'ringing');
  await step('before the answer Mei hears the network, and the customer music', async () => {
    const [, heard] = await Promise.all([hear(people, ['agent', 'network']), audio.listen(LONG_ENOUGH)]);
    isMusic(heard, 'agent', 'network');
  });
  await callee.cue();
  await shows(mei, 'third');
  await step('Mei and the number hear each other, and the customer music', async () => {
    const [, heard] = await Promise.all([hear(people, ['agent', 'network'], ['network', 'agent']), audio.listen(LONG_ENOUGH)]);
    isMusic(heard, 'agent', 'network');
  });
  await mei.click('conference');
  await shows(mei, 'all');
  await step('in the conference each of the three hears the two others', () => eachHearsTheOthers(people));
  await mei.click('consult-complete');
  await mei.state('afterCallWork');
  await mei.click('return-to-reception');
  await step('the customer and the number hear each other', () => hear(people, ['caller', 'network'], ['network', 'caller']));
  await sipp.cue();
  await Promise.all([sipp.ended, callee.ended]);
  await mei.state('available');
});
