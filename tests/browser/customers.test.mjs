// What is known of a customer: a card kept by number (F3, D1), and a CRM of another origin in its place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { freePort } from '../support/ports.mjs';
import { Stage } from '../support/stage.mjs';
import { step, storiesOn } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const CALLER = '+447700900777';
const MASKED = '+44 7700 •••• 77';

/** Somebody else's CRM: it keeps what the workstation tells it, and asks for what the test says. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>CRM</title><script>
  window.told = []
  addEventListener('message', event => told.push({ from: event.origin, ...event.data }))
  let asked = 0
  window.ask = command => {
    const id = 'q' + ++asked
    parent.postMessage({ target: 'cordboard', id, ...command }, '*')
    return new Promise(resolve => addEventListener('message', ({ data }) => data.reply === id && resolve(data)))
  }
</script><h1>CRM</h1>`;
const crm = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE));

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());
const story = storiesOn(stage);

/** Everything that the switch says to the page from now on. */
function hearing(page) {
  const said = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => said.push(`${payload}`)));
  page.on('response', async (response) => said.push(await response.text().catch(() => '')));
  return said;
}

story('a customer who was named once is known by name at the next ring, with the past calls, and the number stays hidden', async () => {
  const { mei } = stage;
  const said = hearing(mei.page);
  await mei.page.reload();
  await mei.peer('up');
  const first = await stage.customerCalls({ caller: CALLER });
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });

  await step('Mei names the customer, and the name is wherever the call is', async () => {
    assert.equal(await mei.hook('past-call').count(), 0);
    await mei.click('edit-customer');
    await mei.hook('customer-name-field').fill('Hannah Brook');
    await mei.hook('customer-remark-field').fill('Call after four.');
    await mei.click('save-customer');
    await mei.hook('customer-name').filter({ hasText: 'Hannah Brook' }).waitFor();
    await mei.hook('call').locator('h1').filter({ hasText: 'Hannah Brook' }).waitFor();
  });
  await mei.hook('remark').fill('Asked for the invoice.');
  await mei.click('hang-up');
  await first.sipp.ended;
  await mei.click('return-to-reception');
  const record = await stage.recordOf(mei, first.sipp);
  assert.equal(record.caller, MASKED);

  await step('at the next ring name, remark and past call are there before the answer', async () => {
    await mei.click('complete-all');
    const second = await stage.customerCalls({ caller: CALLER });
    await mei.rings();
    await mei.hook('offer').filter({ hasText: 'Hannah Brook' }).waitFor();
    await mei.hook('customer-remark').filter({ hasText: 'Call after four.' }).waitFor();
    await mei.hook('past-call').filter({ hasText: 'Asked for the invoice.' }).waitFor();
    assert.equal(await mei.hook('past-call').count(), 1, 'this call is not its own past');
    await second.sipp.giveUp();
    await mei.ringsNoMore();
  });

  await step('a colleague gets the name, and not the calls of others', async () => {
    await mei.choose('busy');
    const tom = await stage.tom();
    await tom.goOnline();
    const third = await stage.customerCalls({ caller: CALLER });
    await tom.rings();
    await tom.hook('customer-name').filter({ hasText: 'Hannah Brook' }).waitFor();
    assert.equal(await tom.hook('past-call').count(), 0);
    await third.sipp.giveUp();
    await tom.ringsNoMore();
    await tom.choose('offline');
    await mei.choose('available');
  });

  await step('the record leaves as a file for an admin only, with its number and its remark', async () => {
    const ada = await stage.admin();
    await ada.click('records-link');
    const [download] = await Promise.all([ada.page.waitForEvent('download'), ada.click('export-records')]);
    const lines = readFileSync(await download.path(), 'utf8').split('\n');
    const line = lines.find((each) => each.includes('Asked for the invoice.'));
    assert.ok(line?.includes(CALLER) && line.includes(record.call), lines.join('\n'));
    await mei.click('records-link');
    await mei.hook('filter-type').waitFor();
    assert.equal(await mei.hook('export-records').count(), 0);
    await stage.backToWork(mei);
  });
  assert.ok(said.length > 10 && said.some((text) => text.includes('Hannah Brook')));
  assert.ok(!said.some((text) => text.includes(CALLER.slice(4))), 'the whole number never came to the page');
});

story('a caller who withholds the number has no card to keep', async () => {
  const { mei } = stage;
  const { sipp } = await stage.customerCalls({ caller: 'anonymous' });
  await mei.rings();
  await mei.hook('customer').filter({ hasText: 'withheld' }).waitFor();
  assert.equal(await mei.hook('edit-customer').count(), 0);
  await sipp.giveUp();
  await mei.ringsNoMore();
});

story('a CRM of another origin is told of the call and may answer and hang up; strangers may not', async () => {
  const port = await freePort();
  await new Promise((resolve) => crm.listen(port, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${port}`;
  const desk = new Stage();
  try {
    await desk.open({ settings: `[settings]\ncrm = { url = "${origin}/call?from={caller}&to={called}&id={call_id}&by={agent}&in={group}" }\n` });
    await callsIn(desk, origin);
  } catch (error) {
    await desk.leaveTraces('a CRM of another origin');
    throw error;
  } finally {
    await desk.close();
    crm.closeAllConnections();
    crm.close();
  }
});

async function callsIn(desk, origin) {
  const { mei } = desk;
  const own = desk.switch.url.slice(0, -1);
  const policy = (await fetch(desk.switch.url)).headers.get('content-security-policy');
  assert.match(policy, new RegExp(`; frame-src ${origin};`));

  const { sipp } = await desk.customerCalls({ caller: CALLER });
  await mei.rings();
  const frame = await crmFrame(mei, 'from=%2B44');
  const events = (count) =>
    frame
      .waitForFunction((wanted) => window.told.filter(({ event }) => event).length >= wanted, count, { timeout: 10_000 })
      .then(() => frame.evaluate(() => window.told.filter(({ event }) => event)));
  const ask = (command) => frame.evaluate((wanted) => window.ask(wanted), command);

  await step('its address has the places filled, the number masked as the agent sees it', async () => {
    const url = new URL(frame.url());
    const places = Object.fromEntries(url.searchParams);
    assert.deepEqual(places, { from: MASKED, to: '+442079460100', id: places.id, by: '1001', in: 'Orders' });
    assert.match(places.id, /^[0-9a-f]+$/);
    assert.equal(await mei.hook('crm-link').getAttribute('href'), frame.url());
    const [ringing] = await events(1);
    assert.deepEqual([ringing.from, ringing.source, ringing.event, ringing.call.caller, ringing.call.id], [own, 'cordboard', 'ringing', MASKED, places.id]);
  });

  await step('it answers the call, hears of hold and resume, and is told what it cannot do', async () => {
    assert.equal((await ask({ command: 'hang_up' })).code, 'no_call');
    assert.equal((await ask({ command: 'answer' })).ok, true);
    await mei.call({ phase: 'talking' });
    await mei.click('hold');
    await mei.call({ phase: 'talking', held: 'true' });
    await mei.click('resume');
    assert.deepEqual((await events(4)).map(({ event }) => event), ['ringing', 'answered', 'held', 'resumed']);
    assert.equal((await ask({ command: 'wipe' })).code, 'unknown_command');
  });

  await step('nobody else is listened to: not the page itself, not a frame of another origin', async () => {
    await mei.page.evaluate(() => window.postMessage({ target: 'cordboard', id: 'x', command: 'hang_up' }, '*'));
    // Were the stranger heard, the call would be over before the CRM's own question is answered.
    assert.equal((await ask({ command: 'answer' })).code, 'nothing_rings');
    await mei.call({ phase: 'talking', held: 'false' }, 1000);
  });

  await step('it hangs up, and keeps its page until the next call', async () => {
    assert.equal((await ask({ command: 'hang_up' })).ok, true);
    await sipp.ended;
    const last = (await events(5)).pop();
    assert.deepEqual([last.event, last.outcome], ['ended', 'normal_end']);
    await mei.click('return-to-reception');
    await mei.state('available');
    assert.equal(await mei.hook('crm').getAttribute('src'), frame.url());
  });

  await step('it dials, and its next page is about that call', async () => {
    assert.equal((await ask({ command: 'dial', number: 'Hannah' })).code, 'number_character');
    const callee = await desk.callee();
    await frame.evaluate(() => void window.ask({ command: 'dial', number: '+44 7700 900162' }));
    const { to } = await callee.rings;
    assert.match(to, /sip:\+447700900162@/);
    const next = await crmFrame(mei, '%2062&');
    await next.waitForFunction(() => window.told.some(({ event }) => event === 'dialling'));
    await callee.cue();
    await next.waitForFunction(() => window.told.some(({ event }) => event === 'answered'));
    await mei.click('hang-up');
    await callee.ended;
    await mei.click('return-to-reception');
    await mei.state('available');
  });

  await step('the customer\'s card is one click away', async () => {
    await mei.click('show-card');
    await mei.hook('crm').waitFor({ state: 'hidden' });
  });
}

/** The frame whose address holds that. */
async function crmFrame(station, words) {
  const frame = await station.page.waitForFunction((wanted) => [...document.querySelectorAll('[data-test="crm"]')].find(({ src }) => src.includes(wanted)), words);
  return frame.asElement().contentFrame();
}
