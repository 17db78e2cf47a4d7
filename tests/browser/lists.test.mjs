// An agent bars a caller and says what the call was about; who manages the floor sees both, and the text messages (H6, D8, G1, A4, A8).
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Stage } from '../support/stage.mjs';
import { step, storiesOn } from '../support/story.mjs';
import { scenario, invite, turnedAway } from '../support/scenario.mjs';

const CALLER = '+447700900888';
const MASKED = '+44 7700 •••• 88';
const MOBILE = '+447700900162';
const DISPOSITIONS = `
[[dispositions]]
name = "Order placed"
[[dispositions]]
name = "Complaint"
`;

const stage = new Stage();
before(() => stage.open({ settings: DISPOSITIONS }));
after(() => stage.close());
const story = storiesOn(stage);

story('a caller who was barred in the call is refused from then on, until an admin takes them off the list; the disposition is on the record', async () => {
  const { mei } = stage;
  const first = await stage.customerCalls({ caller: CALLER });
  await mei.rings();
  await mei.click('answer');
  await mei.call({ phase: 'talking' });

  await step('by the keyboard alone: the disposition after the remark, then the block, for a week, with a reason', async () => {
    await mei.hook('remark').focus();
    await mei.page.keyboard.press('Tab');
    await mei.page.keyboard.type('Comp');
    await mei.page.keyboard.press('Tab');
    await mei.page.keyboard.press('Enter');
    await mei.hook('block-form').waitFor();
    // The week is the second of the choices that come first.
    for (const key of ['Tab', 'Space', 'Tab', 'Tab']) await mei.page.keyboard.press(key);
    await mei.page.keyboard.type('Shouts');
    await mei.page.keyboard.press('Enter');
    await mei.hook('blocked').waitFor();
    assert.equal(await mei.hook('disposition').inputValue(), 'Complaint');
    await mei.call({ phase: 'talking' }, 1000);
  });

  await step('the next call is refused while this one goes on', async () => {
    const second = await stage.customerCalls({ scenario: scenario(invite(), turnedAway(603)), caller: CALLER });
    await second.sipp.ended;
    await mei.click('hang-up');
    await first.sipp.ended;
    await mei.click('return-to-reception');
  });

  const ada = await stage.admin();
  await step('the records show both to the admin, and what each was about', async () => {
    await ada.click('records-link');
    await ada.hook('record-row', '[data-status="blocklist"]').waitFor();
    await ada.hook('filter-disposition').selectOption('Complaint');
    await ada.hook('record-row', '[data-status="blocklist"]').waitFor({ state: 'detached' });
    await ada.hook('record-row').click();
    await ada.hook('record-disposition').filter({ hasText: 'Complaint' }).waitFor();
  });

  await step('the list names the number, the reason and who barred it; taken off, the caller rings again', async () => {
    assert.equal(await mei.hook('management-link').count(), 0);
    await ada.click('management-link');
    const row = ada.hook('blocklist-row', `[data-number="${CALLER}"]`);
    await row.filter({ hasText: 'Shouts' }).filter({ hasText: 'Mei Tanaka' }).waitFor();
    await ada.click('blocklist-remove');
    await ada.click('blocklist-remove-confirm');
    await row.waitFor({ state: 'detached' });
    await ada.hook('list-empty').waitFor();
    const third = await stage.customerCalls({ caller: CALLER });
    await mei.rings();
    await mei.hook('offer').filter({ hasText: MASKED }).waitFor();
    await third.sipp.giveUp();
    await mei.ringsNoMore();
  });

  await step('the admin bars a beginning of numbers, and a slip is told', async () => {
    await ada.hook('blocklist-number').fill('Hannah');
    await ada.click('blocklist-add');
    await ada.hook('blocklist-wrong').waitFor();
    await ada.hook('blocklist-number').fill('+44 7700 9008');
    await ada.click('blocklist-prefix');
    await ada.click('blocklist-add');
    await ada.hook('blocklist-row', '[data-number="+4477009008"]').waitFor();
    const fourth = await stage.customerCalls({ scenario: scenario(invite(), turnedAway(603)), caller: CALLER });
    await fourth.sipp.ended;
  });
});

story('an admin reads the text messages of a switch without a gateway as they come', async () => {
  const ada = await stage.admin();
  await ada.click('management-link');
  await ada.click('management-outbox');
  await ada.hook('list-empty').waitFor();
  const { mei } = stage;
  const sent = await mei.page.evaluate(
    (mobile) => fetch('/api/v1/mobile/code', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ old: null, mobile }) }).then(({ status }) => status),
    MOBILE,
  );
  assert.equal(sent, 204);
  await ada.hook('outbox-row').filter({ hasText: MOBILE }).waitFor();
  assert.match(await ada.hook('outbox-row').innerText(), /\b\d{6}\b/);
});
