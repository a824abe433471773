/** What is told of runs in progress: new lines with their rate, and that a run began or ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { appendMetrics, createRun, updateRun } from '../../src/runs/directory.ts';
import type { MetricsLine } from '../../src/runs/schema.ts';
import { followRuns } from '../../src/server/live.ts';
import { syntheticRun } from '../report/syntheticRun.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-live-'));
});
afterEach(() => rm(root, { recursive: true }));

const line = (step: number): MetricsLine => ({
  step,
  tokens: step * 1000,
  loss: 1 / step,
  fvu: 0.5,
  auxLoss: 0,
  l0: 32,
  dead: 7,
  gradientNorm: 1,
  learningRate: 1e-3,
});

it('tells each new line, then that the run has ended, and ends itself when asked to', async () => {
  const run = join(root, 'one');
  await createRun(run, { ...syntheticRun(), status: 'running' });
  await appendMetrics(run, line(1));
  const stop = new AbortController();
  const told = followRuns(root, stop.signal);
  const next = async () => (await told.next()).value!;
  expect(await next()).toEqual({
    event: 'progress',
    data: { run: 'one', step: 1, tokens: 1000, loss: 1, fvu: 0.5, l0: 32, dead: 7, tokensPerSecond: null },
  });
  await appendMetrics(run, line(2));
  await appendMetrics(run, line(3));
  const second = await next();
  expect(second).toMatchObject({ event: 'progress', data: { step: 3, tokens: 3000 } });
  expect(second.event === 'progress' && second.data.tokensPerSecond).toBeGreaterThan(0);
  await updateRun(run, { status: 'complete' });
  expect(await next()).toEqual({ event: 'changed', data: { run: 'one' } });
  stop.abort();
  expect((await told.next()).done).toBe(true);
});
