/** Scaling laws of real run directories: sizes of TopK on a few short texts, trained longer the larger they are. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { Stopwatch, silent } from '../../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../../src/pipeline/run.ts';
import { scalingOf } from '../../../src/pipeline/scaling.ts';
import { parseConfig } from '../../../src/runs/config.ts';
import { cli } from '../../cli/fakeTerminal.ts';

const SIZES = [8, 16, 32, 64, 128];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-scaling-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  const corpus = join(root, 'texts.jsonl');
  const texts = Array.from(
    { length: 30 },
    (_, i) => `Tom had ${i} red balls, and Lily had ${i * 7} blue ones.`,
  );
  await writeFile(corpus, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  for (const latents of SIZES) {
    const config = parseConfig({
      name: `latents-${latents}`,
      corpus: { name: corpus, context: 24 },
      dictionary: { latents, k: Math.max(2, latents / 8) },
      training: { tokens: 64 * 10 * Math.round(Math.sqrt(latents)), batch: 64, learningRate: 3e-3 },
      evaluation: { resamples: 20, nulls: false },
      interpretation: { topExamples: 0, sampledExamples: 0 },
    });
    const bench = {
      backend: createNativeBackend({ threads: 2 }),
      reporter: silent,
      stopwatch: new Stopwatch(),
    };
    const dir = join(root, 'sizes', config.name);
    await mkdir(join(root, 'sizes'), { recursive: true });
    await trainRun(bench, config, dir, { resume: false });
    await finishRun(bench, dir);
  }
}, 240_000);
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

test('L(C) is fitted to the smaller runs and held against the largest; L(n, k) is refused, with what is missing', async () => {
  const { reports, left } = await scalingOf(join(root, 'sizes'), { resamples: 100 });
  expect(left).toEqual([]);
  expect(reports).toHaveLength(1);
  const [{ of, runs, arms, laws }] = reports;
  expect(of).toBe('topk, blocks.3.hook_resid_post, stories15M');
  expect([runs, arms]).toEqual([5, 5]);
  const [compute, latents] = laws;
  if ('missing' in compute) throw new Error(compute.missing);
  expect(compute.parameters.c.value).toBeGreaterThan(0);
  expect(JSON.parse(compute.heldOut[0].arm).dictionary.latents).toBe(128);
  expect(Math.abs(compute.heldOut[0].error.value)).toBeLessThan(1);
  expect(latents).toMatchObject({
    missing: expect.stringContaining('train 4 sizes with 3 values of k each'),
  });
});

test('monosem scaling prints the laws, and refuses a directory without runs', async () => {
  const shown = await cli(['scaling', join(root, 'sizes')]);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/L\(C\) = .*\nfitted|L\(C\)[\s\S]*fitted to 4 arms/);
  expect(shown.out).toMatch(/128 latents, k 16, \d+ tokens +\S+ +\S+ \[.*%/);
  const none = await cli(['scaling', root]);
  expect(none).toMatchObject({ code: 1, out: '' });
  expect(none.err).toContain('expected a directory of evaluated runs');
});
