/**
 * A forecast and the run that it is of, as small as they can be. How near the seconds come is measured by `npm run
 * cost:check`, not here: a test must not depend on how busy the machine is.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { type Cost, checkCost, forecastCost } from '../../src/pipeline/cost.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import type { Workbench } from '../../src/pipeline/subject.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { readRun } from '../../src/runs/directory.ts';
import type { Run } from '../../src/runs/schema.ts';

const config = parseConfig({
  name: 'small',
  hook: 'blocks.1.hook_resid_post',
  corpus: { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96, k: 4 },
  training: { tokens: 12_800, batch: 256, checkpointEvery: 10, windowRows: 1024 },
  evaluation: { resamples: 100 },
  interpretation: { topExamples: 2, sampledExamples: 10 },
});

let root: string;
let cost: Cost;
let run: Run;
const bench = (): Workbench => ({
  backend: createNativeBackend({ threads: 2 }),
  reporter: silent,
  stopwatch: new Stopwatch(),
});
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-forecast-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  cost = await forecastCost(bench(), config);
  const one = bench();
  await trainRun(one, config, join(root, 'small'), { resume: false });
  await finishRun(one, join(root, 'small'));
  run = await readRun(join(root, 'small'));
}, 240_000);
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

describe('a forecast', () => {
  it('has the phases that the run then has, all of which take time', () => {
    const { report: _, ...done } = run.timing;
    expect(Object.keys(cost.phases).sort()).toEqual(Object.keys(done).sort());
    for (const [name, phase] of Object.entries(cost.phases)) {
      expect(phase.wallSeconds, name).toBeGreaterThan(0);
      expect(phase.cpuSeconds, name).toBeGreaterThan(0);
    }
    expect(cost.total.aloneSeconds).toBeLessThanOrEqual(cost.total.wallSeconds);
  });

  it('counts the FLOPs that the run counts', () => {
    for (const name of ['corpus', 'harvest', 'harvest of the null', 'examples'])
      expect(cost.phases[name].flops, name).toBe(run.flops[name]);
    // L0 is measured by the run alone: of the k strongest, some are below zero.
    for (const name of ['training', 'training of the null'])
      expect(Math.abs(cost.phases[name].flops! / run.flops[name] - 1), name).toBeLessThan(0.05);
    expect(cost.phases.evaluation.flops! / run.flops.evaluation).toBeCloseTo(1, 2);
  });

  it('knows the bytes on disk', () => {
    const { dictionary, checkpoints, nulls, activations } = run.disk!;
    expect(cost.disk.dictionary / dictionary).toBeCloseTo(1, 1);
    expect(cost.disk.checkpoints / checkpoints).toBeCloseTo(1, 1);
    expect(cost.disk.nulls / nulls).toBeCloseTo(1, 1);
    expect(cost.disk.activations / activations).toBeCloseTo(1, 2);
  });

  it('says how much must be held, and that less than is', () => {
    const parameters = 4 * (2 * 96 * 288 + 96 + 288);
    expect(cost.memory.live.training).toBeGreaterThan(3 * parameters);
    expect(cost.memory.peak).toBeGreaterThan(Math.max(...Object.values(cost.memory.live)));
  });

  it('leaves nothing behind, sees afterwards what is in the cache, and without nulls has none', async () => {
    expect(cost.cached).toEqual([]);
    expect((await readdir(join(root, 'cache'))).sort()).toEqual(['activations', 'corpora']);
    const evaluation = { ...config.evaluation, nulls: [] };
    const again = await forecastCost(bench(), { ...config, evaluation });
    expect(again.cached).toEqual(['corpus', 'activations']);
    expect(Object.keys(again.phases).filter((name) => /null|harvest/.test(name))).toEqual([]);
    expect(again.disk.nulls).toBe(0);
    expect(Object.keys(checkCost(again, run).phases)).not.toContain('corpus');
  }, 240_000);

  it('refuses what does not fit into the memory, by name', async () => {
    const dictionary = { ...config.dictionary, latents: 1e9 };
    await expect(forecastCost(bench(), { ...config, dictionary })).rejects.toThrow(
      /dictionary\.latents 1000000000: training must hold 6\.92 TB at once, and .*B are free.*fewer latents/,
    );
    expect((await readdir(join(root, 'cache'))).sort()).toEqual(['activations', 'corpora']);
  });
});

describe('the check', () => {
  it('compares totals, the peak of memory and the bytes', () => {
    const seconds = { wallSeconds: 2, cpuSeconds: 3, waitSeconds: 0 };
    const forecast: Cost = { ...cost, phases: { model: seconds, training: { ...seconds, flops: 5 } } };
    const fact: Run = {
      ...run,
      timing: {
        model: { wallSeconds: 1, cpuSeconds: 3 },
        training: { wallSeconds: 3, cpuSeconds: 1, waitSeconds: 2 },
        report: { wallSeconds: 1, cpuSeconds: 1 },
      },
      flops: { training: 4, corpus: 1 },
      memory: { model: 1, training: cost.memory.peak * 2 },
    };
    expect(checkCost(forecast, fact)).toMatchObject({
      phases: { training: { forecast: 2, fact: 1, error: 1 } },
      wallSeconds: { forecast: 4, fact: 5, error: 4 / 5 - 1 },
      aloneSeconds: { forecast: 4, fact: 3 },
      cpuSeconds: { forecast: 6, fact: 5 },
      memory: { error: -0.5 },
      flops: { forecast: 5, fact: 4 },
    });
  });
});
