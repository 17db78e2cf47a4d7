// Self-service in a call (D6): Mei sends her customer through a flow; the customer hears its prompts and presses keys (RFC 4733); Mei sees them, and both speak with each other again.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { likeness, RATE, readWav } from '../support/audio.mjs';
import { PAGE_RATE, pageHears } from '../support/browser.mjs';
import { Stage } from '../support/stage.mjs';
import { SENTENCES, spoken } from '../support/speech.mjs';
import { agentHearsCaller, callerHearsAgent, step, storiesOn } from '../support/story.mjs';

const FLOW = `
[flows.Survey]
start = "rate"
[flows.Survey.nodes.rate]
type = "menu"
title = "How satisfied?"
sounds = ["please-rate"]
keys = { 4 = "order", 5 = "order" }
result = "Rating"
seconds = 20
otherwise = "end"
[flows.Survey.nodes.order]
type = "digits"
title = "Order number"
sounds = ["order-number"]
max = 8
result = "Order number"
seconds = 20
next = "thanks"
otherwise = "end"
[flows.Survey.nodes.thanks]
type = "prompt"
sounds = ["thank-you"]
next = "end"
[flows.Survey.nodes.end]
type = "end"
[flows.Draft]
enabled = false
start = "end"
[flows.Draft.nodes.end]
type = "end"
`;
const stage = new Stage();
before(() => stage.open({ settings: FLOW }));
after(() => stage.close());

const story = storiesOn(stage);
const prompt = (name) => readWav(new URL(`../../src/media/sounds/${name}.wav`, import.meta.url).pathname).samples;
const shows = (hook, text) => hook.filter({ hasText: text }).first().waitFor({ timeout: 10_000 });

/** Mei talks to a customer and starts the survey from the list. */
async function served() {
  const { mei } = stage;
  const { audio, sipp } = await stage.customerCalls();
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });
  await mei.click('self-service');
  await mei.hook('start-flow').first().waitFor({ timeout: 10_000 });
  assert.equal(await mei.hook('start-flow').count(), 1, 'what is not enabled is not offered');
  const began = performance.now();
  await mei.click('start-flow');
  await mei.hook('hearing', '[data-hears="service"]').waitFor({ timeout: 10_000 });
  return { mei, audio, sipp, began };
}

// D6, G1
story('the customer rates and enters an order number, Mei sees it live, and the record has it', async () => {
  const { mei, audio, sipp, began } = await served();
  await step('the customer hears the prompt and not Mei, and Mei not the customer', async () => {
    const [, inPage] = await Promise.all([audio.listen(5), pageHears(mei.page, 3)]);
    const heard = audio.samples(began);
    const [asked, mouth] = [prompt('please-rate'), spoken(SENTENCES.agent)].map((sound) => likeness(heard, sound));
    assert.ok(asked > 0.7 && mouth < 0.5, `like the prompt ${asked.toFixed(2)}, like Mei ${mouth.toFixed(2)}`);
    const customer = likeness(inPage.filter((_, index) => index % (PAGE_RATE / RATE) === 0), spoken(SENTENCES.caller));
    assert.ok(customer < 0.4, `Mei hears the customer: ${customer.toFixed(2)}`);
    for (const control of ['hold', 'transfer', 'consult', 'open-keypad']) assert.ok(await mei.hook(control).isDisabled(), control);
    await shows(mei.hook('flow-step'), 'How satisfied?');
  });
  await step('Mei sees the keys and the results', async () => {
    await audio.press('5');
    await shows(mei.hook('flow-step'), 'Order number');
    assert.equal(await mei.hook('flow-keys').innerText(), '5');
    await shows(mei.hook('flow-result', '[data-name="Rating"]'), '5');
    await audio.press('4711#');
    await shows(mei.hook('flow-keys'), '54711#');
  });
  await step('after the flow both hear each other', async () => {
    await mei.hook('hearing', '[data-hears="talking"]').waitFor({ timeout: 15_000 });
    await shows(mei.hook('flow-result', '[data-name="Order number"]'), '4711');
    await Promise.all([callerHearsAgent(audio), agentHearsCaller(mei)]);
  });
  await mei.click('hang-up');
  await sipp.ended;
  const results = [{ name: 'Rating', value: '5' }, { name: 'Order number', value: '4711' }];
  const record = await stage.recordOf(mei, sipp);
  assert.deepEqual(record.flows, [{ flow: 'Survey', finished: true, results }]);
  await mei.page.goto(`${stage.switch.url}#/records`);
  await mei.hook('record-row').first().click();
  await shows(mei.hook('flow-result', '[data-name="Order number"]'), '4711');
  await stage.backToWork(mei);
});

// D6, G5
story('Mei takes the customer back; later the switch is killed in a flow, and what was pressed is on the record', async () => {
  const { mei, audio, sipp } = await served();
  await mei.click('end-flow');
  await mei.hook('hearing', '[data-hears="talking"]').waitFor({ timeout: 10_000 });
  await mei.click('self-service');
  await mei.click('start-flow');
  await mei.hook('flow-progress').waitFor({ timeout: 10_000 });
  await audio.press('4');
  await shows(mei.hook('flow-result', '[data-name="Rating"]'), '4');
  await stage.switch.kill();
  await stage.switch.start();
  const record = await stage.recordOf(await stage.admin(), sipp);
  assert.equal(record.status, 'interrupted');
  assert.deepEqual(record.flows, [
    { flow: 'Survey', finished: false, results: [] },
    { flow: 'Survey', finished: false, results: [{ name: 'Rating', value: '4' }] },
  ]);
});
