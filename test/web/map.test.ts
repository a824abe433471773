/** The map of a run in a real browser: what is pointed at and selected is named in words, by mouse and by keys. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

describe.skipIf(noBrowser)('map', () => {
  let shown: Shown;
  beforeAll(async () => {
    shown = await show(await smallSite());
  });
  afterAll(() => shown?.close());

  it('draws the points in the colours of the legend', async () => {
    const { page, faults } = await shown.open('#/run/small/map');
    const canvas = page.locator('canvas');
    await canvas.waitFor();
    await page.waitForTimeout(300);
    const plain = await canvas.screenshot();
    await page.getByLabel('coloured by').selectOption('density');
    await page.waitForTimeout(300);
    expect((await canvas.screenshot()).equals(plain)).toBe(false);
    expect(await page.getByLabel('Colours').innerText()).toMatch(/from 10⁻³/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('selects by keys the latent in the middle, and what is in sight', async () => {
    const { page, faults } = await shown.open('#/run/small/map');
    await page.locator('canvas').focus();
    await page.keyboard.press('Enter');
    const heading = page.getByRole('heading', { name: /^Latent \d+$/ });
    await heading.waitFor();
    const first = await heading.innerText();
    for (const key of ['+', '+', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter'])
      await page.keyboard.press(key);
    await page.waitForFunction(
      (before) => document.querySelector('.selected h2')?.textContent !== before,
      first,
    );
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: /latents in the rectangle/ }).waitFor();
    await page.keyboard.press('0');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: '192 latents in the rectangle' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('selects by mouse, one and a rectangle, which the table shows', async () => {
    const { page, faults } = await shown.open('#/run/small/map?at=0');
    await page.locator('.mark').waitFor();
    const mark = (await page.locator('.mark').boundingBox())!;
    const [x, y] = [mark.x + mark.width / 2, mark.y + mark.height / 2];
    await page.mouse.move(x, y);
    await page.locator('.map .name').filter({ hasText: /^\d+/ }).waitFor();
    const named = (await page.locator('.map .name').innerText()).split(' ')[0];
    await page.mouse.click(x, y);
    await page.getByRole('heading', { name: `Latent ${named}`, exact: true }).waitFor();
    await page.keyboard.down('Shift');
    await page.mouse.move(x - 40, y - 40);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 40, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const heading = page.getByRole('heading', { name: /latents in the rectangle/ });
    await heading.waitFor();
    const count = Number.parseInt(await heading.innerText(), 10);
    expect(count).toBeGreaterThan(0);
    await page.getByRole('link', { name: 'all of them in the table' }).click();
    await page
      .getByRole('status')
      .filter({ hasText: new RegExp(`^${count} of 192 latents`) })
      .waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });
});
