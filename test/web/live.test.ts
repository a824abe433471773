/** A run in progress as the first page shows it: its numbers move while it is looked at, and settle when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendMetrics, createRun, updateRun, writeEvaluation } from '../../src/runs/directory.ts';
import { syntheticEvaluation, syntheticRun } from '../report/syntheticRun.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show } from './site.ts';

describe.skipIf(noBrowser)('a run in progress', () => {
  let root: string;
  let shown: Shown;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'monosem-live-page-'));
    await createRun(join(root, 'going'), { ...syntheticRun(), status: 'running' });
    shown = await show(root);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(root, { recursive: true });
  });
  const write = (step: number) =>
    appendMetrics(join(root, 'going'), {
      step,
      tokens: step * 1000,
      loss: 1 / step,
      fvu: 0.5,
      auxLoss: 0,
      l0: 31.5,
      dead: 7,
      gradientNorm: 1,
      learningRate: 1e-3,
    });

  it('is live until it ends', async () => {
    const { page, faults } = await shown.open('');
    const live = page.locator('.live');
    await live.getByText('waiting for a line').waitFor();
    await write(4);
    await live.getByText('4,000').waitFor();
    await write(9);
    await live.getByText('9,000').waitFor();
    expect(await live.innerText()).toMatch(
      /loss\s+0\.1111\s+FVU\s+0\.5000\s+L0\s+31\.5\s+dead\s+7\s+tokens\/s\s+[\d,]+/,
    );
    await writeEvaluation(join(root, 'going'), syntheticEvaluation());
    await updateRun(join(root, 'going'), { status: 'complete' });
    await page.getByText('Explained variance').waitFor();
    expect(await live.count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });
});
