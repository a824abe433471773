/** Two runs side by side in a real browser: their latents linked once they are matched, and before that the command that does it. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { matchRuns } from '../../src/pipeline/matches.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { readMatches } from '../../src/runs/matches.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

describe.skipIf(noBrowser)('two runs side by side', () => {
  let directory: string;
  let shown: Shown;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'monosem-compare-'));
    const [small, seed] = [join(directory, 'small'), join(directory, 'seed')];
    await cp(join(await smallSite(), 'small'), small, { recursive: true });
    // The dictionary of another seed, under a name of its own.
    await mkdir(seed);
    await cp(join(small, 'companions', 'seeds-1'), seed, { recursive: true });
    await cp(join(small, 'features.parquet'), join(seed, 'features.parquet'));
    const run = JSON.parse(await readFile(join(small, 'run.json'), 'utf8'));
    await writeFile(join(seed, 'run.json'), JSON.stringify({ ...run, name: 'seed' }));
    shown = await show(directory);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(directory, { recursive: true });
  });

  it('links matched latents, the nearest first', async () => {
    const { page, faults } = await shown.open('#/run/small/compare/seed');
    await page.getByRole('alert').filter({ hasText: 'monosem match small seed' }).waitFor();
    const bench = { backend: createNativeBackend(), reporter: silent, stopwatch: new Stopwatch() };
    await matchRuns(bench, join(directory, 'small'), join(directory, 'seed'));
    // Once more: it takes the place of what is there.
    await matchRuns(bench, join(directory, 'small'), join(directory, 'seed'));
    const { matches, rows } = (await readMatches(join(directory, 'small')))!;
    expect(matches.comparisons).toHaveLength(1);
    expect(rows).toHaveLength(192);
    const nearest = rows.reduce((best, one) => (one.cosine > best.cosine ? one : best));
    await page.reload();
    const first = page.locator('.body .row').first();
    await first.waitFor();
    expect(await first.getByRole('link').allInnerTexts()).toEqual(
      [nearest.latent, nearest.other].map(String),
    );
    const matched = rows.filter(
      ({ mutual, cosine }) => mutual && cosine > matches.comparisons[0].threshold,
    ).length;
    await page.getByLabel('show').selectOption('matched');
    await page
      .getByRole('status')
      .filter({ hasText: `${matched} of 192 latents` })
      .waitFor();
    await page.goto(`${shown.address}#/run/seed/compare/small`);
    await page.getByRole('link', { name: 'small beside seed' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('refuses runs of different places', async () => {
    const elsewhere = join(directory, 'elsewhere');
    await cp(join(directory, 'seed'), elsewhere, { recursive: true });
    const run = JSON.parse(await readFile(join(elsewhere, 'run.json'), 'utf8'));
    await writeFile(
      join(elsewhere, 'run.json'),
      JSON.stringify({ ...run, config: { ...run.config, hook: 'blocks.2.hook_resid_post' } }),
    );
    const bench = { backend: createNativeBackend(), reporter: silent, stopwatch: new Stopwatch() };
    await expect(matchRuns(bench, join(directory, 'small'), elsewhere)).rejects.toThrow(
      /only runs of one site/,
    );
  });
});
