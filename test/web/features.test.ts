/** The features of a run in a real browser: search, filters, order, the last row, keys, and a search without an index. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wordsOf } from '../../src/interpretation/atlas/wordsOf.ts';
import { readWords } from '../../src/runs/atlas.ts';
import { readFeatures } from '../../src/runs/tables.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

const latentsIn = (page: Page) => page.locator('.row .latent').allInnerTexts();
const settled = (page: Page, count: RegExp) => page.getByRole('status').filter({ hasText: count }).waitFor();

describe.skipIf(noBrowser)('features', () => {
  let shown: Shown;
  let run: string;
  beforeAll(async () => {
    const site = await smallSite();
    run = join(site, 'small');
    shown = await show(site);
  });
  afterAll(() => shown?.close());

  it('finds a feature by a word in its examples, the strongest first', async () => {
    const words = (await readWords(run))!;
    // A word of few latents, one of which fires on it hardest.
    const rare = words.find(({ word, strength }, i) => {
      const others = words.filter((one, j) => one.word === word && j !== i);
      return (
        word.length > 3 &&
        others.length > 0 &&
        others.length < 20 &&
        others.every((one) => one.strength < strength)
      );
    })!;
    const { page, faults } = await shown.open('#/run/small/features');
    await settled(page, /^192 of 192 latents/);
    await page.keyboard.press('/');
    await page.keyboard.type(`${rare.word} `);
    await settled(page, /^\d{1,2} of 192 latents, those first/);
    expect((await latentsIn(page))[0]).toBe(String(rare.latent));
    await page.waitForURL(new RegExp(`q=${encodeURIComponent(rare.word)}`));
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`feature/${rare.latent}$`));
    expect(faults).toEqual([]);
    await page.close();
  });

  it('goes to a latent by its number', async () => {
    const { page, faults } = await shown.open('#/run/small/features?focus=search');
    await settled(page, /192 latents/);
    await page.keyboard.type('#17');
    await settled(page, /^1 of 192 latents/);
    expect(await latentsIn(page)).toEqual(['17']);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('sorts by a column, and the address brings the order back', async () => {
    const features = (await readFeatures(run))!;
    const densest = features.reduce((most, one) => (one.density > most.density ? one : most));
    const { page, faults } = await shown.open('#/run/small/features');
    await settled(page, /192 latents/);
    expect((await latentsIn(page))[0]).toBe('0');
    await page.getByRole('button', { name: 'Density' }).click();
    expect((await latentsIn(page))[0]).toBe(String(densest.latent));
    expect(await page.getByRole('columnheader', { name: 'Density' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await page.waitForURL(/sort=-density/);
    await page.reload();
    await settled(page, /192 latents/);
    expect((await latentsIn(page))[0]).toBe(String(densest.latent));
    expect(faults).toEqual([]);
    await page.close();
  });

  it('filters by verdict, class and density', async () => {
    const features = (await readFeatures(run))!;
    const { page, faults } = await shown.open('#/run/small/features');
    await settled(page, /192 latents/);
    const [low, high] = [0.01, 0.05];
    const within = features.filter(({ density }) => density >= low && density <= high);
    await page.getByLabel('density from').fill(String(low));
    await page.getByLabel('to', { exact: true }).fill(String(high));
    await page.keyboard.press('Tab');
    await settled(page, new RegExp(`^${within.length} of 192 latents`));
    expect((await latentsIn(page))[0]).toBe(String(within[0].latent));
    await page.getByRole('button', { name: 'show all' }).click();
    await page.getByLabel('verdict').selectOption('supported');
    const supported = await page.locator('.row .verdict').allInnerTexts();
    expect(supported.every((one) => one === 'supported')).toBe(true);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('reaches the last row by scrolling and by keys, with few rows drawn', async () => {
    const { page, faults } = await shown.open('#/run/small/features');
    await settled(page, /192 latents/);
    const grid = page.getByRole('grid');
    expect(await grid.getAttribute('aria-rowcount')).toBe('193');
    await page.locator('.body').evaluate((body) => void (body.scrollTop = body.scrollHeight));
    await page.getByRole('link', { name: '191', exact: true }).waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(60);
    const last = page.locator('.row', { has: page.getByRole('link', { name: '191', exact: true }) });
    expect(await last.getAttribute('aria-rowindex')).toBe('193');
    expect(await last.locator('.text').first().innerText()).not.toBe('…');
    await page.locator('.body').evaluate((body) => void (body.scrollTop = 0));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.locator('[aria-selected="true"] a:focus').filter({ hasText: /^0$/ }).waitFor();
    await page.keyboard.press('End');
    await page.locator('[aria-selected="true"] a:focus').filter({ hasText: /^191$/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/feature\/191$/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('searches the tokens where the words are not indexed, and says so', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'monosem-features-'));
    await mkdir(join(directory, 'bare'));
    for (const file of ['run.json', 'features.parquet'])
      await cp(join(run, file), join(directory, 'bare', file));
    const bare = await show(directory);
    const [{ word }] = (await readFeatures(run))!
      .flatMap(({ promotedTokens }) => promotedTokens.flatMap(wordsOf))
      .filter((one) => one.word.length > 3);
    const { page, faults } = await bare.open(`#/run/bare/features?q=${encodeURIComponent(word)}`);
    await settled(page, /^\d+ of 192 latents, those first/);
    expect(await page.locator('main').innerText()).toContain('monosem atlas bare');
    expect((await latentsIn(page)).length).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await bare.close();
    await rm(directory, { recursive: true });
  });
});
