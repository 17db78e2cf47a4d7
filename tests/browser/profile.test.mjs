// The profile (A7): a picture that stands in the top bar, and a nickname.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Stage } from '../support/stage.mjs';
import { step, storiesOn } from '../support/story.mjs';

const stage = new Stage();
before(() => stage.open());
after(() => stage.close());
const story = storiesOn(stage);

/** A wide red picture with a blue middle. */
const flag = (page) =>
  page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [600, 200];
    const drawing = canvas.getContext('2d');
    [['#d00000', 0, 600], ['#0000d0', 200, 200]].forEach(([colour, x, width]) => {
      drawing.fillStyle = colour;
      drawing.fillRect(x, 0, width, 200);
    });
    return canvas.toDataURL('image/png').split(',')[1];
  });

/** Size of the picture that the page shows, and the colour of one of its corners. */
const shown = (page) =>
  page.evaluate(async () => {
    const image = document.querySelector('.statebtn [data-test="avatar"]');
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const drawing = canvas.getContext('2d');
    drawing.drawImage(image, 0, 0);
    const [red, green, blue] = drawing.getImageData(8, 8, 1, 1).data;
    return { size: [image.naturalWidth, image.naturalHeight], blue: blue > 150 && red < 60 && green < 60 };
  });

story('an agent adds a picture and a nickname, which are there at once and after a reload, and takes the picture away', async () => {
  const { mei } = stage;
  const { page } = mei;
  assert.equal(await mei.hook('avatar').count(), 0);
  await mei.click('state-menu');
  await mei.click('profile-link');

  await step('a file that is no picture is refused in words', async () => {
    await mei.hook('picture-file').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await mei.hook('picture-fault').waitFor();
  });
  await step('a picture becomes a small square of its middle', async () => {
    await mei.hook('picture-file').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(await flag(page), 'base64') });
    await mei.hook('profile').locator('[data-test="avatar"]').waitFor();
    assert.equal(await mei.hook('picture-fault').count(), 0);
  });
  await step('a nickname takes the place of the old one', async () => {
    await mei.click('change-nickname');
    await mei.hook('nickname').fill('Mei-chan');
    await mei.click('save-nickname');
    await mei.hook('profile-nickname').filter({ hasText: 'Mei-chan' }).waitFor();
  });
  await step('the workstation greets by it and shows the picture', async () => {
    await mei.click('back');
    await mei.hook('state-menu').waitFor();
    assert.deepEqual(await shown(page), { size: [256, 256], blue: true });
    assert.match(await page.locator('h1').first().innerText(), /Mei-chan/);
  });
  await step('so it is after a reload, and without a picture the initials are back', async () => {
    await stage.backToWork(mei);
    await page.reload();
    await mei.hook('state-menu').waitFor();
    assert.deepEqual(await shown(page), { size: [256, 256], blue: true });
    await mei.click('state-menu');
    await mei.click('profile-link');
    await mei.click('remove-picture');
    await mei.hook('remove-picture').waitFor({ state: 'detached' });
    await mei.click('back');
    await mei.hook('state-menu').filter({ hasText: 'MT' }).waitFor();
  });
});
