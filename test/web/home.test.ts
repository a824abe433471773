/** The first page in a real browser: the runs, their numbers, keys, light and dark. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

describe.skipIf(noBrowser)('home', () => {
  let shown: Shown;
  beforeAll(async () => {
    shown = await show(await smallSite());
  });
  afterAll(() => shown?.close());

  it('lists the run with its numbers, intervals and nulls', async () => {
    const { page, faults } = await shown.open('');
    await page.getByRole('link', { name: 'small', exact: true }).waitFor();
    const text = await page.locator('article').innerText();
    expect(text).toMatch(/A topk dictionary of 192 latents for blocks\.1\.hook_resid_post of stories15M/);
    expect(text).toMatch(/Explained variance\s+0\.\d{3}\s\[0\.\d{3}, 0\.\d{3}\]/);
    expect(text).toMatch(/reinitialised 0\.\d{3}/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('goes by keys, and tells which there are', async () => {
    const { page, faults } = await shown.open('');
    await page.locator('article').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/run\/small$/);
    await page.keyboard.press('h');
    await page.waitForURL(/#\/$/);
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').innerText()).toMatch(/search features/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    expect(faults).toEqual([]);
    await page.close();
  });
});
