// What `make run` promises a newcomer: the printed page, the printed account, a call from the terminal and one from the page (J4).
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decodeUlaw, likeness } from '../support/audio.mjs';
import { openBrowser, PAGE_RATE, pageHears } from '../support/browser.mjs';
import { SENTENCES, say } from '../support/speech.mjs';
import { Switch } from '../support/switch.mjs';
import { Workstation } from '../support/workstation.mjs';

const customer = decodeUlaw(readFileSync(new URL('../../loadtest/assets/customer.ulaw', import.meta.url)));

let demo;
let browser;
before(async () => {
  demo = await Switch.demo();
  browser = await openBrowser(say(SENTENCES.agent, { rate: 48_000 }));
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test('the printed account answers a call that a key in the terminal places, and one from the page, and hears speech', async () => {
  const url = demo.log.match(/http:\/\/\S+/)[0];
  const email = demo.log.match(/\S+@\S+?(?=[\s,])/)[0];
  const password = demo.log.match(/Password\s+(\S+)/)[1];
  const agent = await Workstation.logIn(browser, url, { email, password });
  await agent.goOnline();

  demo.type('c');
  await answerAndListen(agent);
  await agent.click('return-to-reception');
  await agent.state('available');
  await agent.click('demo-call');
  await answerAndListen(agent);
});

// J4, E5
test("the carrier's numbers can be called from the page: one speaks, one is busy", async () => {
  const agent = new Workstation(browser.pages().at(-1));
  await agent.click('return-to-reception');
  await agent.state('available');
  const dial = async (number) => {
    await agent.click('outbound-call');
    await agent.hook('dial-number').fill(number);
    await agent.click('dial');
  };
  await dial('+44 7700 900201');
  await agent.hook('failed', '[data-outcome="in_call"]').waitFor();
  await dial('+44 7700 900200');
  await agent.call({ phase: 'ringing' });
  await agent.call({ phase: 'talking' });
  await hearsSpeech(agent);
});

// J4, D6
test('the customer of a test call goes through the survey, and presses what is typed in the terminal (SIP INFO)', async () => {
  const agent = new Workstation(browser.pages().at(-1));
  await agent.click('return-to-reception');
  await agent.state('available');
  await agent.click('demo-call');
  await agent.rings();
  await agent.click('answer');
  await agent.call({ phase: 'talking' });
  await agent.click('self-service');
  await agent.hook('start-flow', '[title$="Satisfaction survey"]').click();
  await agent.hook('flow-progress').waitFor();
  demo.type('4');
  await agent.hook('flow-result', '[data-name="Rating"]').filter({ hasText: '4' }).waitFor();
  await agent.click('end-flow');
  await agent.hook('hearing', '[data-hears="talking"]').waitFor();
  await agent.click('hang-up');
  await agent.state('afterCallWork');
});

test('a switch that is killed takes its carrier with it', async () => {
  const port = Number(demo.log.match(/carrier at \S+:(\d+)/)[1]);
  await assert.rejects(takePort(port), { code: 'EADDRINUSE' });
  await demo.kill();
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await takePort(port);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

/** Rejects where another process has it. */
function takePort(port) {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => socket.close(resolve));
  });
}

async function answerAndListen(agent) {
  await agent.rings();
  await agent.click('answer');
  await agent.call({ phase: 'talking' });
  await hearsSpeech(agent);
}

async function hearsSpeech(agent) {
  const heard = (await pageHears(agent.page, 8)).filter((_, i) => i % (PAGE_RATE / 8000) === 0);
  const like = likeness(heard, customer);
  assert.ok(like > 0.6, `the agent hears the customer: likeness ${like.toFixed(2)}`);
  await agent.click('hang-up');
  await agent.state('afterCallWork');
}
