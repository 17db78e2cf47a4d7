// Keyboard shortcuts (F5): a call without the mouse, keys that are changed, and none that fires into a field.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Stage } from '../support/stage.mjs';
import { step, storiesOn } from '../support/story.mjs';
import { Workstation } from '../support/workstation.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());
const story = storiesOn(stage);

/** Opens the list and asks for another key of that command. */
async function change(station, command) {
  if ((await station.hook('shortcuts').count()) === 0) await station.page.keyboard.press('?');
  await station.click(`key-${command}`);
}

const label = (station, command) => station.hook(`key-${command}`).innerText();

// F5, B1
story('a whole call by keys: answer, hold, resume, mute, remark, hang up, the state menu', async () => {
  const { mei } = stage;
  const { keyboard } = mei.page;
  const { sipp } = await stage.customerCalls();
  await mei.rings();
  await keyboard.press('Alt+A');
  await mei.call({ phase: 'talking' });
  await keyboard.press('Alt+P');
  await mei.call({ phase: 'talking', held: 'true' });
  await keyboard.press('Alt+P');
  await mei.call({ phase: 'talking', held: 'false' });
  await keyboard.press('Alt+R');
  await keyboard.type('Wants a map. ?');
  await keyboard.press('Alt+M');
  await mei.call({ phase: 'talking', muted: 'true' });
  assert.equal(await mei.hook('remark').inputValue(), 'Wants a map. ?', 'keys with Alt work while typing and type nothing');
  assert.equal(await mei.hook('shortcuts').count(), 0, 'a question mark in a field is one');
  await keyboard.press('Alt+Q');
  await sipp.ended;
  await mei.state('afterCallWork');
  await keyboard.press('Alt+W');
  await mei.state('available');
  await keyboard.press('Alt+Z');
  await mei.hook('state-busy').waitFor();
  await keyboard.press('Escape');
  await mei.hook('state-busy').waitFor({ state: 'hidden' });
});

story('keys are changed, told when they are taken, kept for the account, and reset', async () => {
  const { mei } = stage;
  const { keyboard } = mei.page;

  await step('a key that another command has is told, and is moved when that is wanted', async () => {
    await change(mei, 'hold');
    await keyboard.press('Alt+M');
    await mei.hook('key-answer', '[data-is="taken"]').waitFor();
    assert.equal(await mei.hook('key-hold').getAttribute('aria-pressed'), 'true', 'nothing is moved unasked');
    await mei.click('take-key');
    assert.deepEqual([await label(mei, 'hold'), await label(mei, 'mute')], ['Alt M', '–']);
  });

  await step('keys of the browser are not given away', async () => {
    await change(mei, 'mute');
    for (const taken of ['Alt+D', 'Control+M', 'F5']) {
      await keyboard.press(taken);
      await mei.hook('key-answer', '[data-is="refused"]').waitFor();
    }
    await keyboard.press('F8');
    assert.equal(await label(mei, 'mute'), 'F8');
    await keyboard.press('Escape');
  });

  await step('after a reload they do what was chosen; a key without Alt leaves fields alone', async () => {
    await stage.backToWork(mei);
    await mei.page.reload();
    await mei.peer('up');
    const { sipp } = await stage.customerCalls();
    await mei.rings();
    await keyboard.press('Alt+A');
    await mei.call({ phase: 'talking' });
    await mei.hook('remark').focus();
    await keyboard.press('F8');
    await keyboard.press('Alt+M');
    await mei.call({ phase: 'talking', held: 'true', muted: 'false' });
    await mei.hook('remark').blur();
    await keyboard.press('F8');
    await mei.call({ phase: 'talking', held: 'true', muted: 'true' });
    await mei.click('hang-up');
    await sipp.ended;
    await mei.click('return-to-reception');
  });

  // A9
  await step('a log-out in a call waits for its end', async () => {
    const { sipp } = await stage.customerCalls();
    await mei.rings();
    await keyboard.press('Alt+A');
    await mei.call({ phase: 'talking' });
    const leave = async () => {
      await mei.click('state-menu');
      await mei.click('log-out');
      await mei.click('log-out-after');
      await mei.hook('departing').waitFor();
    };
    await leave();
    await mei.click('stay');
    await mei.hook('departing').waitFor({ state: 'detached' });
    await leave();
    await mei.call({ phase: 'talking' });
    await mei.click('hang-up');
    await sipp.ended;
    await mei.hook('email').waitFor();
  });

  await step('another account at this browser has its own; reset brings the first ones back', async () => {
    await mei.page.goto('about:blank');
    const tom = await Workstation.logIn(mei.page.context(), stage.switch.url, stage.accounts.tom);
    await change(tom, 'answer');
    assert.equal(await label(tom, 'hold'), 'Alt P');
    await tom.click('state-menu');
    await tom.click('log-out');
    await tom.page.close();
    await stage.meiAgain();
    await change(stage.mei, 'answer');
    assert.equal(await label(stage.mei, 'hold'), 'Alt M');
    await stage.mei.click('reset-keys');
    assert.deepEqual([await label(stage.mei, 'hold'), await label(stage.mei, 'mute')], ['Alt P', 'Alt M']);
    assert.equal(await stage.mei.hook('reset-keys').count(), 0);
  });
});
