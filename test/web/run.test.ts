/** The page of one run in a real browser: numbers with their nulls, pictures, and where it leads. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvaluation } from '../../src/runs/directory.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

describe.skipIf(noBrowser)('run', () => {
  let shown: Shown;
  let site: string;
  beforeAll(async () => {
    site = await smallSite();
    shown = await show(site);
  });
  afterAll(() => shown?.close());

  it('shows every measure with its interval and its nulls', async () => {
    const { metrics } = (await readEvaluation(join(site, 'small')))!;
    const { page, faults } = await shown.open('#/run/small');
    const row = page.getByRole('row', { name: /^Explained variance/ });
    await row.waitFor();
    const { value, low, high } = metrics.explainedVariance;
    const [own, from, to] = [value!, low!, high!].map((one) => one.toFixed(3));
    expect(await row.innerText()).toContain(`${own} [${from}, ${to}]`.replace(' ', '\u00a0'));
    expect(await page.locator('table.measures tbody tr').count()).toBe(Object.keys(metrics).length);
    await page.getByRole('heading', { name: 'Which latents are true features?' }).waitFor();
    await page.getByRole('img', { name: /^Histogram of the firing frequency/ }).waitFor();
    await page.getByRole('img', { name: /^Fraction of variance unexplained/ }).waitFor();
    expect(await page.locator('.facts').innerText()).toMatch(/topk, 192 latents/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('leads to its pages', async () => {
    const { page, faults } = await shown.open('#/run/small');
    await page
      .getByRole('navigation', { name: 'Of this run' })
      .getByRole('link', { name: 'features' })
      .click();
    await page.waitForURL(/#\/run\/small\/features/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says which file is damaged, and shows the others', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'monosem-run-'));
    await cp(join(site, 'small'), join(directory, 'hurt'), { recursive: true });
    await writeFile(join(directory, 'hurt', 'metrics.jsonl'), '{"step": "<b>"}\n');
    await writeFile(join(directory, 'hurt', 'features.parquet'), 'PAR1 of no use PAR1');
    const hurt = await show(directory);
    const { page, faults } = await hurt.open('#/run/hurt');
    await page
      .getByRole('alert')
      .filter({ hasText: /metrics\.jsonl, line 1/ })
      .waitFor();
    await page.getByRole('row', { name: /^Explained variance/ }).waitFor();
    await page.goto(`${hurt.address}#/run/hurt/features`);
    await page
      .getByRole('alert')
      .filter({ hasText: /features\.parquet: cannot be read as Parquet/ })
      .first()
      .waitFor();
    expect(faults).toEqual([]);
    await hurt.close();
    await rm(directory, { recursive: true });
  });
});
