// Calls between colleagues (E3) and by SIP (E4): proven by what each side hears, and by the records.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { PAGE_RATE, pageEar, pageHears } from '../support/browser.mjs';
import { DeskPhone } from '../support/desk_phone.mjs';
import { recognise, SENTENCES, sayForLong } from '../support/speech.mjs';
import { PHONE_PASSWORD, Stage } from '../support/stage.mjs';
import { agentHearsCaller, callerHearsAgent, LONG_ENOUGH, WHOLE_TURN, step, storiesOn, understands } from '../support/story.mjs';

/** A host whose SIP addresses the floor allows. */
const HOST = '127.0.0.3';

const stage = new Stage();
before(async () => {
  await stage.open({
    settings: '[phones.lobby]\nuser = "lobby"\nregister = true\nmd5 = true\npassword_env = "PHONE_PASSWORD"',
    outbound: `sip_hosts = ["${HOST}"]`,
  });
});
after(() => stage.close());

const story = storiesOn(stage);

const inPage = async (who, sentence, { page }) => understands(who, sentence, await pageEar(page), PAGE_RATE);
const hears = (station, key) => station.hook('hearing', `[data-hears="${key}"]`).waitFor({ timeout: 10_000 });

/** Opens the pad at the colleagues, and finds Tom by the beginning of his address. */
async function findTom(mei) {
  await mei.page.keyboard.press('Alt+O');
  await mei.click('dial-colleague-side');
  await mei.hook('colleague', '[data-name="1002"]').waitFor();
  assert.equal(await mei.hook('colleague', '[data-name="1001"]').count(), 0, 'Mei is no colleague of her own');
  await mei.hook('colleague-search').pressSequentially('tom@exa');
  await mei.hook('colleague', '[data-name="1000"]').waitFor({ state: 'detached' });
  await mei.hook('colleague-search').press('ArrowDown');
}

/** The records since then, as that station's agent sees them. */
const recordsOf = (station, placed) => stage.recordsOf(station, { placed });

// C4, E3, F2, G1
story('Mei calls Tom: his bar says who it is, both hear each other, either holds, and each has a record of it', async () => {
  const { mei } = stage;
  const tom = await stage.tom({ microphone: 'colleague' });
  await tom.goOnline();
  await tom.choose('busy');
  await tom.state('busy');
  const placed = Date.now();
  await findTom(mei);
  await mei.hook('colleague-search').press('Enter');
  await mei.call({ phase: 'ringing' });
  assert.equal(await mei.hook('dial-pad').count(), 0, 'the pad makes room');
  await tom.rings();
  await step('the bar', async () => {
    assert.match(await tom.hook('offer').innerText(), /Internal call[\s\S]*Mei Tanaka[\s\S]*1001/);
    assert.equal(await tom.hook('left-internal', '[aria-pressed="true"]').count(), 1, 'it stands among the internal conversations');
    for (const control of ['transfer', 'consult', 'open-keypad']) assert.equal(await mei.hook(control).count(), 0, control);
  });
  await tom.click('answer');
  await Promise.all([hears(mei, 'talking'), hears(tom, 'talking')]);
  await step('both hear each other', () => Promise.all([inPage('Mei', SENTENCES.colleague, mei), inPage('Tom', SENTENCES.agent, tom)]));
  await tom.click('hold');
  await hears(tom, 'held');
  await step('Mei hears music, not Tom', async () => {
    assert.ok(!(await recognise(await pageHears(mei.page, LONG_ENOUGH), PAGE_RATE)).includes(SENTENCES.colleague));
  });
  await tom.click('resume');
  await hears(tom, 'talking');
  await tom.click('hang-up');
  await Promise.all([mei.state('available'), tom.state('busy')]);
  assert.equal(await mei.hook('left-internal', '[aria-pressed="true"]').count(), 1);
  assert.equal(await mei.hook('ended-session').count(), 1);

  await step('each has a record of it, Ada both', async () => {
    const [own, his, all] = [await recordsOf(mei, placed), await recordsOf(tom, placed), await recordsOf(await stage.admin(), placed)];
    const told = ({ callType, status, hungUpBy, caller, contact, agent, recording }) => [callType, status, hungUpBy, caller, contact, agent, recording];
    const expected = (agent) => ['internal', 'normal_end', 'agent', '1001', '1002', agent, null];
    assert.deepEqual([own.map(told), his.map(told)], [[expected('Mei Tanaka')], [expected('Tom Berg')]]);
    assert.equal(all.length, 2);
    assert.ok(his[0].hold > 5000 && his[0].time > own[0].time, JSON.stringify([own, his]));
  });
  await tom.choose('offline');
});

// E3
story('Tom declines, then is offline: Mei is told in words, and the page of records shows internal calls alone', async () => {
  const { mei } = stage;
  const tom = await stage.tom();
  await tom.goOnline();
  await findTom(mei);
  await mei.hook('colleague-search').press('Enter');
  await tom.rings();
  await tom.click('decline');
  await mei.state('available');
  await mei.hook('ended-session').first().click();
  await mei.hook('failed', '[data-outcome="rejected"]').waitFor();
  assert.match(await mei.hook('failed-why').innerText(), /Tom Berg declined/);
  await tom.choose('offline');
  await tom.state('offline');
  await findTom(mei);
  await mei.hook('colleague-lead', ':has-text("not online")').waitFor();
  assert.ok(await mei.hook('call-colleague').isDisabled());
  await mei.page.keyboard.press('Escape');
  await mei.page.goto(`${stage.switch.url}#/records`);
  await mei.hook('filter-type').selectOption('internal');
  await mei.hook('record-row', '[data-type="internal"][data-status="rejected"]').waitFor();
  assert.equal(await mei.hook('record-row', ':not([data-type="internal"])').count(), 0);
  await stage.backToWork(mei);
});

// E4
story('Mei calls the phone in the lobby by SIP: it rings, both hear each other; hosts that nobody allowed are refused', async () => {
  const { mei } = stage;
  const speech = sayForLong(SENTENCES.colleague);
  const lobby = await DeskPhone.open({ user: 'lobby', password: PHONE_PASSWORD, transport: 'udp', port: stage.switch.sipPort, speech });
  try {
    await lobby.registered();
    await mei.page.keyboard.press('Alt+O');
    await mei.click('dial-number-side');
    for (const [typed, code] of [['sip:bob@192.0.2.8', 'sip_host_not_permitted'], ['sip:nobody', 'no_such_phone'], ['sip:bob@example.com', 'sip_host_no_ip']]) {
      await mei.hook('dial-number').fill(typed);
      await mei.hook('dial-number').press('Enter');
      await mei.hook('dial-refused', `[data-code="${code}"]`).waitFor();
    }
    const placed = Date.now();
    await mei.hook('dial-number').fill('sip:lobby');
    await mei.hook('dial-number').press('Enter');
    await lobby.tells('CALL_INCOMING');
    await mei.call({ phase: 'ringing' });
    lobby.lift();
    await mei.call({ phase: 'talking' });
    await inPage('Mei', SENTENCES.colleague, mei);
    await pageHears(mei.page, WHOLE_TURN);
    lobby.hangUp();
    await lobby.tells('CALL_CLOSED');
    await mei.click('return-to-reception');
    await mei.state('available');
    const heard = await recognise(lobby.heard());
    assert.ok(heard.includes(SENTENCES.agent), `the lobby heard: ${heard.join(' / ')}`);
    const [record] = await recordsOf(mei, placed);
    assert.deepEqual([record.callType, record.status, record.hungUpBy, record.caller], ['outbound', 'normal_end', 'customer', '1001']);
  } finally {
    await lobby.switchOff();
  }
});

// E4
story('Mei calls a SIP address at a host that is allowed: early media, the answer, both hear each other, and that side hangs up', async () => {
  const { mei } = stage;
  const callee = await stage.callee('callee', { address: HOST });
  const placed = Date.now();
  await mei.page.keyboard.press('Alt+O');
  await mei.hook('dial-number').fill(`sip:bob@${HOST}:${callee.port}`);
  await mei.hook('dial-number').press('Enter');
  const { from, to } = await callee.rings;
  assert.deepEqual([/sip:1001@/.test(from), to.includes(`sip:bob@${HOST}`)], [true, true], `${from} to ${to}`);
  await mei.call({ phase: 'ringing' });
  callee.talks();
  await callee.cue();
  await mei.call({ phase: 'talking' });
  await Promise.all([agentHearsCaller(mei), callerHearsAgent(callee.audio)]);
  await callee.cue();
  await callee.ended;
  await mei.state('afterCallWork');
  const [record] = await recordsOf(mei, placed);
  assert.deepEqual([record.callType, record.status, record.hungUpBy, record.caller], ['outbound', 'normal_end', 'customer', '1001']);
});
