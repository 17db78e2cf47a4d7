// Customers who hang up at every stage, change their session at bad moments and lose messages: SIPp calls, agents have SIP phones made of SIPp,
// and a socket each to say what they do. All at the same time; afterwards the switch holds what it held before.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { differences, vitalSigns } from '../load/vital_signs.mjs';
import { Listeners } from '../support/caller_audio.mjs';
import { Desk } from '../support/desk.mjs';
import { openHouse, PASSWORD } from '../support/house.mjs';
import { freePort } from '../support/ports.mjs';
import {
  ack, answered, bye, byeTwice, cancel, change, cue, early, hungUp, invite, pause, pending, refused, scenario, taken,
} from '../support/scenario.mjs';
import { openPhones, placeCall } from '../support/sipp.mjs';

/** C9: everything stops within this, milliseconds. */
const AT_ONCE = 1000;
/** 64 * T1 (RFC 3261), and room for a busy machine. */
const GIVE_UP = 32_000;
const ROOM = 10_000;
/** The pages' keep-alive connections come and go. */
const MORE_DESCRIPTORS = 4;

/** The stories, each with a group, a number and a customer of its own; and what the phones of its agents do: lifted, or left alone. */
const STORIES = {
  queue: ['lifted'],
  early: ['lifted'],
  ringing: ['alone'],
  answer: ['lifted'],
  talk: ['lifted'],
  tcp: ['lifted'],
  hold: ['lifted'],
  transferRings: ['lifted', 'alone'],
  transferWaits: ['lifted', 'lifted'],
  consultRings: ['lifted', 'alone'],
  consult: ['lifted', 'lifted'],
  conference: ['lifted', 'lifted'],
  changeEarly: ['lifted'],
  changes: ['lifted'],
  lateAck: ['lifted'],
  noAck: ['lifted'],
  noByeAnswer: ['lifted'],
};
const names = Object.keys(STORIES);
const EARLY = ['early', 'ringing', 'answer', 'changeEarly'];

const did = (story) => `+4420794601${`${names.indexOf(story)}`.padStart(2, '0')}`;
const caller = (story) => `+4477009001${`${names.indexOf(story)}`.padStart(2, '0')}`;
/** The first agent of a story is in its group, others are in a group of their own. */
const group = (story, n) => (n === 0 ? story : `${story}-${n}`);
const email = (story, n) => `${story}-${n}@example.com`.toLowerCase();
const agents = names.flatMap((story) => STORIES[story].map((phone, n) => ({ story, n, phone })));

const floor = (ports) => `
[trunks.carrier]
hosts = ["127.0.0.1:5099"]
options_every = "off"

${agents.map(({ story, n, phone }, index) => `
[groups."${group(story, n)}"]
wrap_up = "off"
welcome = "silence"

[phones.phone${index}]
user = "phone${index}"
addr = "127.0.0.1:${ports[phone]}"

[agents."${email(story, n)}"]
number = "${2000 + index}"
name = "${story} ${n}"
groups = ["${group(story, n)}"]
phone = "phone${index}"
password_env = "AGENT_PASSWORD"
`).join('')}
${names.map((story) => `
[[numbers]]
did = "${did(story)}"
group = "${story}"
early_media = ${EARLY.includes(story)}
`).join('')}`;

let house, baseline, cookie, began;
const phones = [];
const audios = new Listeners();
const listener = () => audios.listener();
const desks = new Map();

before(async () => {
  const ports = { lifted: await freePort(), alone: await freePort() };
  ({ house, cookie } = await openHouse(floor(ports)));
  const silence = await listener();
  phones.push(openPhones('phones', { port: ports.lifted, audio: silence, words: { rings: 300 } }), openPhones('phone_left_alone', { port: ports.alone, audio: silence }));
  await Promise.all(agents.map(async ({ story, n }) => {
    const desk = await Desk.open(house.url, { email: email(story, n), password: PASSWORD });
    await desk.choose('available');
    desks.set(email(story, n), desk);
  }));
  baseline = await vitalSigns(house);
  began = Date.now();
});

after(async () => {
  for (const desk of desks.values()) desk.close();
  audios.close();
  await house?.stop();
});

const desksOf = (story) => STORIES[story].map((_, n) => desks.get(email(story, n)));

/** The story's customer, who calls by these steps, and its desks. */
async function call(story, steps, more = {}) {
  const audio = await listener();
  const customer = await placeCall(scenario(...steps), { sipPort: house.sipPort, did: did(story), caller: caller(story), audio, ...more });
  // A test that waits for something else hears of it here.
  customer.ended.catch((error) => console.log(`${story}: ${error.message}`));
  return { customer, audio, desks: desksOf(story) };
}

const TALKS = [invite(), answered(), ack(), cue(), bye()];

/** The customer hangs up; these things are so within a second. */
async function hangsUp(customer, ...soon) {
  await customer.cue();
  const from = performance.now();
  await Promise.all([customer.ended, ...soon.map((look) => look())]);
  const took = performance.now() - from;
  assert.ok(took < AT_ONCE, `it took ${Math.round(took)} ms`);
}

const is = (desk, state) => () => desk.when(() => desk.agent.state === state, `the state ${state}`);
const empty = (desk, queue) => () => desk.when(() => desk.queues.get(queue).waiting === 0, 'an empty queue');

/** How many messages of the customer's call, either way, have all these words. */
const count = (customer, ...words) => customer.trace().split(/^-{10,}/m).filter((message) => words.every((word) => message.includes(word))).length;

/** The records of a story's call, the first segment first. */
async function recordsOf(story, count) {
  const deadline = Date.now() + ROOM;
  for (;;) {
    const answer = await fetch(`${house.url}api/v1/records?from=${began}&caller=${encodeURIComponent(caller(story))}`, { headers: { cookie, connection: 'close' } });
    const { items } = await answer.json();
    if (items.length >= count) return items.sort((a, b) => a.id.localeCompare(b.id));
    if (Date.now() > deadline) assert.fail(`${story} has the records ${JSON.stringify(items)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The call is on record in these segments: status, who hung up, and which of the story's agents. Gives the records. */
async function onRecord(story, ...wanted) {
  const found = await recordsOf(story, wanted.length);
  const told = found.map(({ status, hungUpBy, agent }) => [status, hungUpBy, agent]);
  assert.deepEqual(told, wanted.map(([status, by, n]) => [status, by, n === undefined ? null : `${story} ${n}`]));
  return found;
}

describe('all at the same time', { concurrency: true }, () => {
  // C9, G2
  describe('a customer hangs up', { concurrency: true }, () => {
    test('in the queue', async () => {
      const [desk] = desksOf('queue');
      await desk.choose('busy');
      const { customer } = await call('queue', TALKS);
      await desk.when(() => desk.queues.get('queue').waiting === 1, 'somebody in the queue');
      await hangsUp(customer, empty(desk, 'queue'));
      await onRecord('queue', ['abandoned_queue', 'customer']);
    });

    test('in early media', async () => {
      const [desk] = desksOf('early');
      await desk.choose('busy');
      const { customer, audio } = await call('early', [invite(), early(), cue(), cancel()]);
      await audio.when(() => audio.heard.length > 10, 'music before the answer');
      await hangsUp(customer, empty(desk, 'early'));
      await onRecord('early', ['abandoned_queue', 'customer']);
    });

    test('while an agent’s phone rings', async () => {
      const { customer, desks: [desk] } = await call('ringing', [invite(), early(), cue(), cancel()]);
      await desk.rings();
      await hangsUp(customer, () => desk.ringsNoMore(), is(desk, 'available'));
      const [{ ring }] = await onRecord('ringing', ['abandoned_ringing', 'customer', 0]);
      assert.ok(ring > 0);
    });

    test('at the moment of the answer', async () => {
      const { customer, desks: [desk] } = await call('answer', [invite(), answered(), ack(), bye()]);
      await customer.ended;
      await desk.session({ phase: 'ended' });
      await is(desk, 'available')();
      const [{ duration, wait }] = await onRecord('answer', ['normal_end', 'customer', 0]);
      assert.ok(duration - wait < AT_ONCE, `talked for ${duration - wait} ms`);
    });

    test('in the call, and the answer to the BYE is lost', async () => {
      const { customer, desks: [desk] } = await call('talk', [invite(), answered(), ack(), cue(), byeTwice()]);
      await desk.session({ phase: 'talking' });
      await hangsUp(customer, () => desk.session({ phase: 'ended', outcome: 'normal_end' }), is(desk, 'available'));
      await onRecord('talk', ['normal_end', 'customer', 0]);
    });

    test('in the call, by TCP', async () => {
      const { customer, desks: [desk] } = await call('tcp', [invite(), answered(), ack(), pause(1500), bye()], { tcp: true });
      await desk.session({ phase: 'talking' });
      await customer.ended;
      await onRecord('tcp', ['normal_end', 'customer', 0]);
    });

    test('on hold', async () => {
      const { customer, audio, desks: [desk] } = await call('hold', TALKS);
      await desk.session({ phase: 'talking' });
      await desk.inCall('hold');
      await desk.session({ held: true });
      await audio.when(() => audio.heard.length > 10, 'music');
      await hangsUp(customer, () => desk.session({ phase: 'ended' }), is(desk, 'available'));
      const [{ hold }] = await onRecord('hold', ['normal_end', 'customer', 0]);
      assert.ok(hold > 0);
    });

    test('while the agent of a blind transfer rings', async () => {
      const { customer, desks: [desk, next] } = await call('transferRings', TALKS);
      await desk.session({ phase: 'talking' });
      await desk.inCall('transfer', { to: await desk.target('agent', 'transferRings 1') });
      await desk.session({ phase: 'ended', outcome: 'agent_transfer' });
      await next.rings();
      await hangsUp(customer, () => next.ringsNoMore(), is(next, 'available'));
      await onRecord('transferRings', ['agent_transfer', 'agent', 0], ['abandoned_ringing', 'customer', 1]);
    });

    test('in the queue of a blind transfer', async () => {
      const [desk, next] = desksOf('transferWaits');
      await next.choose('busy');
      const { customer } = await call('transferWaits', TALKS);
      await desk.session({ phase: 'talking' });
      await desk.inCall('transfer', { to: await desk.target('group', 'transferWaits-1') });
      await next.when(() => next.queues.get('transferWaits-1').waiting === 1, 'somebody in the queue');
      await hangsUp(customer, empty(next, 'transferWaits-1'));
      const [, { group }] = await onRecord('transferWaits', ['agent_transfer', 'agent', 0], ['abandoned_queue', 'customer']);
      assert.equal(group, 'transferWaits-1');
    });

    test('while the agent of a consultation rings', async () => {
      const { customer, desks: [desk, next] } = await call('consultRings', TALKS);
      await desk.session({ phase: 'talking' });
      await desk.inCall('consult', { with: await desk.target('agent', 'consultRings 1') });
      await next.rings();
      await hangsUp(customer, () => next.ringsNoMore(), is(next, 'available'), is(desk, 'available'));
      await onRecord('consultRings', ['normal_end', 'customer', 0], ['caller_cancelled', 'customer', 0]);
    });

    for (const story of ['consult', 'conference']) {
      test(`in a ${story === 'consult' ? 'consultation' : 'conference'}, and the two go on`, async () => {
        const { customer, desks: [desk, next] } = await call(story, TALKS);
        await desk.session({ phase: 'talking' });
        await desk.inCall('consult', { with: await desk.target('agent', `${story} 1`) });
        const consults = (desk, fits) => desk.when(() => fits([...desk.sessions.values()].at(-1)?.consult ?? {}), 'such a consultation');
        await Promise.all([desk, next].map((desk) => consults(desk, ({ reached }) => reached === 'up')));
        if (story === 'conference') {
          await desk.inCall('conference');
          await consults(desk, ({ side }) => side === 'all');
        }
        await hangsUp(customer, ...[desk, next].map((desk) => () => consults(desk, ({ customerLeft }) => customerLeft)));
        await next.inCall('hangUp');
        await Promise.all([desk, next].map((desk) => desk.session({ phase: 'ended' })));
        await onRecord(story, ['normal_end', 'customer', 0], ['normal_end', 'agent', 1]);
      });
    }
  });

  // D2, G2
  describe('a customer changes the session', { concurrency: true }, () => {
    test('before the answer: that comes too early, and the call goes on', async () => {
      const steps = [invite(), early(), change(2, 'sendonly'), refused(2, 500, 'Retry-After'), answered(), ack(), cue(), bye()];
      const { customer, desks: [desk] } = await call('changeEarly', steps);
      await desk.session({ phase: 'talking' });
      await hangsUp(customer, () => desk.session({ phase: 'ended' }));
      await onRecord('changeEarly', ['normal_end', 'customer', 0]);
    });

    test('on hold: holds itself in both ways, resumes, asks for an offer, and crosses its own change', async () => {
      const steps = [
        invite(), answered(), ack(), cue(),
        change(2, 'sendonly'), taken(2, 'recvonly'), cue(),
        change(3, 'sendrecv'), taken(3, 'sendrecv'), cue(),
        change(4, 'inactive'), taken(4, 'inactive'), cue(),
        change(5), taken(5, 'sendrecv', { offered: true }), cue(),
        // The first of two is not acknowledged yet.
        change(6, 'sendrecv'), pending(), change(7, 'sendonly'), refused(7, 491), ack(6), cue(), bye(),
      ];
      const { customer, audio, desks: [desk] } = await call('changes', steps);
      await desk.session({ phase: 'talking' });
      await desk.inCall('hold');
      await desk.session({ held: true });
      const music = () => {
        const from = audio.heard.length;
        return audio.when(() => audio.heard.length > from + 10, 'music');
      };
      const quiet = async () => {
        // What is on the way comes before the silence.
        for (let before = -1; before !== audio.heard.length; await new Promise((resolve) => setTimeout(resolve, 300))) before = audio.heard.length;
      };
      await music();
      for (const expected of [quiet, music, quiet, music, music]) {
        await customer.cue();
        await expected();
      }
      await desk.inCall('resume');
      await desk.session({ held: false });
      await hangsUp(customer, () => desk.session({ phase: 'ended' }));
      const [{ hold }] = await onRecord('changes', ['normal_end', 'customer', 0]);
      assert.ok(hold > 0);
    });
  });

  // C9, G5
  describe('messages are lost', { concurrency: true }, () => {
    test('an acknowledgement that comes late: the answer is sent again until then', async () => {
      const { customer, desks: [desk] } = await call('lateAck', [invite(), answered(), pause(1800), ack(), pause(300), bye()]);
      await desk.session({ phase: 'talking' });
      await customer.ended;
      assert.ok(count(customer, 'SIP/2.0 200 OK', 'CSeq: 1 INVITE') >= 3);
      await onRecord('lateAck', ['normal_end', 'customer', 0]);
    });

    test('an acknowledgement that never comes: the switch ends the call', async () => {
      const { customer, desks: [desk] } = await call('noAck', [invite(), answered(), hungUp()]);
      await customer.ended;
      await desk.session({ phase: 'ended' });
      assert.ok(count(customer, 'SIP/2.0 200 OK', 'CSeq: 1 INVITE') >= 10);
      await onRecord('noAck', ['normal_end', 'switch', 0]);
    });

    test('answers to a BYE that never come: the agent is free at once, and the switch gives up', async () => {
      const { customer, desks: [desk] } = await call('noByeAnswer', [invite(), answered(), ack(), hungUp({ silent: true }), pause(GIVE_UP)]);
      await desk.session({ phase: 'talking' });
      await desk.inCall('hangUp');
      await Promise.all([desk.session({ phase: 'ended' }, AT_ONCE), is(desk, 'available')()]);
      await onRecord('noByeAnswer', ['normal_end', 'agent', 0]);
      await customer.ended;
      assert.ok(count(customer, 'BYE sip:') >= 10);
    });
  });
});

test('afterwards nothing is left', async () => {
  await Promise.all(phones.map((phone) => phone.close()));
  const { descriptors, ...signs } = baseline;
  const deadline = Date.now() + GIVE_UP + ROOM;
  for (;;) {
    const now = await vitalSigns(house);
    const left = [...differences(signs, now, 0), ...differences({ descriptors }, now, MORE_DESCRIPTORS)];
    if (left.length === 0) return;
    if (Date.now() > deadline) assert.fail(left.join('; '));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});

// I4
test('a call that outlasts the patience of whoever stops the switch is hung up', async () => {
  const [desk] = desksOf('queue');
  await desk.choose('busy');
  const { customer } = await call('queue', [invite(), answered(), ack(), hungUp()]);
  await desk.when(() => desk.queues.get('queue').waiting === 1, 'somebody in the queue');
  const stopped = house.stop();
  // It waits for the customer, until it is told once more.
  while ((await fetch(`${house.url}readyz`)).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  await Promise.all([house.stop(), stopped, customer.ended]);
});
