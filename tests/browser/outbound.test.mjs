// Calls out (E): Mei dials in the page, SIPp is the carrier that is called, proven by content and by the record.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { loudness, RATE } from '../support/audio.mjs';
import { decodeInPage, PAGE_RATE, pageEar, pageHears } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { recognise, SENTENCES } from '../support/speech.mjs';
import { agentHearsCaller, callerHearsAgent, step, storiesOn, understands } from '../support/story.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());

const story = storiesOn(stage);

const CUSTOMER = '+447700900162';

/** Dials by keyboard, as agents do. Returns when, by the clock of records. */
async function dial(station, number, { callerId } = {}) {
  const placed = Date.now();
  await station.page.keyboard.press('Alt+O');
  const field = station.hook('dial-number');
  await field.fill(number);
  if (callerId) await station.hook('caller-id').selectOption(callerId);
  await field.press('Enter');
  return { placed };
}

const fails = (station, outcome) => station.hook('failed', `[data-outcome="${outcome}"]`).waitFor({ timeout: 10_000 });

/** The newest record since then of that station's agent. */
async function recordOf(station, call) {
  const [record] = await stage.recordsOf(station, call);
  return record;
}

// E1, E5, G1, G4
story('Mei dials: it rings with early media, the customer answers, both hear each other, she hangs up, and the call is on record', async () => {
  const { mei } = stage;
  const callee = await stage.callee();
  const call = await dial(mei, ' tel:+44 (7700) 900-162 ');
  const { from, to } = await callee.rings;
  assert.match(to, /sip:\+447700900162@/, 'the number is cleaned');
  assert.match(from, /sip:\+442079460100@/, "the group's number is shown");
  await mei.call({ phase: 'ringing' });
  await mei.state('inLine');
  assert.equal(await mei.hook('dial-pad').count(), 0, 'the pad makes room');

  await step('before the answer the agent hears the network, nobody hears the agent, and only hang-up can be used', async () => {
    await understands('the agent', SENTENCES.network, await pageEar(mei.page), PAGE_RATE);
    assert.ok(!(await recognise(callee.audio.samples())).includes(SENTENCES.agent), 'the customer hears the agent');
    for (const control of ['hold', 'mute', 'transfer', 'open-keypad']) assert.ok(await mei.hook(control).isDisabled(), control);
    assert.equal(await mei.hook('outbound-call').getAttribute('aria-disabled'), 'true');
  });

  callee.talks();
  await callee.cue();
  await mei.call({ phase: 'talking' });
  await step('a sentence of each side is recognised at the other', () => Promise.all([agentHearsCaller(mei), callerHearsAgent(callee.audio)]));

  const hungUp = Date.now();
  await mei.click('hang-up');
  await callee.ended;
  await mei.state('afterCallWork');
  await mei.click('return-to-reception');
  await mei.state('available');

  await step('the record', async () => {
    const record = await recordOf(mei, call);
    assert.deepEqual(
      [record.callType, record.status, record.hungUpBy, record.caller, record.group],
      ['outbound', 'normal_end', 'agent', stage.did, 'Orders'],
    );
    assert.match(record.contact, /^\+44 7700 •••• 62$/, 'masked');
    assert.ok(Math.abs(record.time - call.placed) < 3000, `began at ${record.time}, dialled at ${call.placed}`);
    assert.ok(Math.abs(record.time + record.duration - hungUp) < 2000, 'from dialling to hang-up');
    const [customer, agent] = await decodeInPage(mei.page, `/api/v1/recordings/${record.recording.id}.mp3`, RATE);
    const [left, right] = await Promise.all([recognise(customer), recognise(agent)]);
    assert.ok(left.includes(SENTENCES.caller) && !left.includes(SENTENCES.agent), `left: ${left}`);
    assert.ok(right.includes(SENTENCES.agent) && !right.includes(SENTENCES.caller), `right: ${right}`);
    await mei.click('records-link');
    await mei.hook('record-row', `[data-call="${record.call}"][data-type="outbound"]`).waitFor();
    await mei.hook('filter-type').selectOption('inbound');
    await mei.hook('record-row', `[data-call="${record.call}"]`).waitFor({ state: 'detached' });
    await mei.hook('filter-type').selectOption('outbound');
    await mei.hook('record-row', `[data-call="${record.call}"]`).waitFor();
    await stage.backToWork(mei);
  });
});

// E1, E5, G3, D8
story('a call that does not come about tells why in the page and on the record, and can be made again; who hangs up while it rings cancelled it', async () => {
  const { mei } = stage;
  // Every row of the table is proven without a page, in tests/calls.
  const cases = [
    ['in_call', 486, 'Busy Here', 'Reason: Q.850;cause=17', 'in another call'],
    ['arrears', 403, 'No credit', 'X-Cause: none', 'bill is unpaid'],
  ];
  for (const [index, [outcome, status, phrase, reason, says]] of cases.entries()) {
    await step(outcome, async () => {
      const callee = await stage.callee('callee_refuses', { words: { status, phrase, reason } });
      let call = { placed: Date.now() };
      if (index === 0) call = await dial(mei, CUSTOMER);
      else await mei.click('call-back');
      const { to } = await callee.rings;
      assert.match(to, /sip:\+447700900162@/, 'the whole number, also the second time');
      await callee.ended;
      await fails(mei, outcome);
      assert.ok((await mei.hook('failed').innerText()).includes(says), await mei.hook('failed').innerText());
      assert.ok((await mei.hook('toast').innerText()).includes(says), 'the toast says the same');
      await mei.state('available');
      const record = await recordOf(mei, call);
      assert.deepEqual([record.status, record.callType, record.recording], [outcome, 'outbound', null]);
    });
  }

  const silent = await stage.callee('phone_left_alone', { other: true });
  const call = await dial(mei, '07700 900205', { callerId: stage.otherDid });
  const { from } = await silent.rings;
  assert.match(from, /sip:\+442079460109@/, 'the chosen number is shown');
  await mei.call({ phase: 'ringing' });
  assert.ok(loudness(await pageHears(mei.page, 6)) > 0.005, 'the agent hears it ring');
  await mei.click('hang-up');
  await silent.ended;
  await fails(mei, 'caller_cancelled');
  const record = await recordOf(mei, call);
  assert.deepEqual([record.status, record.hungUpBy], ['caller_cancelled', 'agent']);
});

// E6, G3
story("a number beyond the role's prefixes is not permitted, and the carrier hears nothing of it", async () => {
  const { mei } = stage;
  const callee = await stage.callee('phone_left_alone');
  let rang = false;
  callee.rings.then(() => (rang = true), () => {});
  const call = await dial(mei, '+882 1 2345 6789');
  await fails(mei, 'not_permitted');
  assert.match(await mei.hook('failed').innerText(), /may not call this number/);
  assert.equal((await recordOf(mei, call)).status, 'not_permitted');
  // The carrier is there all the same: an allowed number rings.
  assert.equal(rang, false);
  await dial(mei, CUSTOMER);
  assert.match((await callee.rings).to, /7700900162/);
  await mei.click('hang-up');
  await callee.ended;
  await mei.state('available');
});

// E1, F1
story('what is no number is refused in words, the pad goes with Escape and the focus returns; offline the way out says why it is closed', async () => {
  const { mei } = stage;
  const button = mei.hook('outbound-call');
  const focused = () => mei.page.evaluate(() => document.activeElement?.getAttribute('data-test'));
  await dial(mei, '1800-FLOWERS');
  await mei.hook('dial-refused', '[data-code="number_character"]').waitFor();
  await mei.hook('dial-number').fill('');
  for (const key of ['0', '2', '#']) await mei.click(`key-${key}`);
  assert.equal(await mei.hook('dial-number').inputValue(), '02#');
  await mei.page.keyboard.press('Escape');
  await mei.hook('dial-pad').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'outbound-call');
  await mei.choose('offline');
  await mei.state('offline');
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  assert.equal(await button.getAttribute('title'), 'Go online to call.');
  await mei.goOnline();
});

// D8, E1
story('a customer who called is called back by the number that the page does not see', async () => {
  const { mei } = stage;
  const { sipp } = await stage.customerCalls({ did: stage.earlyDid });
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await sipp.cue();
  await sipp.ended;
  await mei.state('afterCallWork');
  const callee = await stage.callee();
  await mei.click('call-back');
  const { from, to } = await callee.rings;
  assert.match(to, /sip:\+447700900123@/);
  assert.match(from, /sip:\+442079460101@/, 'they see the number they know');
  await mei.state('inLine');
  callee.talks();
  await callee.cue();
  await mei.call({ phase: 'talking' });
  await agentHearsCaller(mei);
  await callee.cue();
  await callee.ended;
  await mei.click('return-to-reception');
  await mei.state('available');
});

// D7
story('keys reach the far side one by one, and a text with its pauses: by INFO over one trunk, by RFC 4733 over the other', async () => {
  const { mei } = stage;
  const press = async () => {
    await mei.page.keyboard.press('Alt+K');
    await mei.hook('keypad').waitFor();
    await mei.page.keyboard.press('1');
    await mei.click('key-#');
    await mei.hook('keypad-text').fill(',20 4*');
    await mei.hook('keypad-text').press('Enter');
    await mei.page.waitForFunction(() => document.querySelector('[data-test="keypad-sent"]')?.textContent === '1#,204*');
  };
  const come = async (keys) => {
    const deadline = Date.now() + 10_000;
    while (keys().length < 6 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(keys(), ['1', '#', '2', '0', '4', '*']);
  };
  const over = async (callee) => {
    await mei.click('hang-up');
    await callee.ended;
    await mei.click('return-to-reception');
    await mei.state('available');
  };

  const byInfo = await stage.callee('callee_keys', { other: true });
  await dial(mei, CUSTOMER, { callerId: stage.otherDid });
  await mei.call({ phase: 'talking' });
  await press();
  await come(() => byInfo.lines.filter((line) => line.startsWith('Signal=')).map((line) => line.slice(7)));
  await over(byInfo);

  const byEvents = await stage.callee();
  await dial(mei, CUSTOMER);
  await byEvents.rings;
  await byEvents.cue();
  await mei.call({ phase: 'talking' });
  await press();
  // All packets of one press have one timestamp.
  const presses = () => new Map(byEvents.audio.heard.filter(({ type }) => type === 101).map(({ timestamp, payload }) => [timestamp, payload[0]]));
  await come(() => [...presses().values()].map((event) => '0123456789*#'[event]));
  const [first, second, third] = [...presses().keys()];
  assert.ok(third - second >= 2 * RATE && second - first < 2 * RATE, 'the comma is a pause of two seconds');
  await over(byEvents);
});
