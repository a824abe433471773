/**
 * Whole runs on stories15M, as small as they can be: every file of the run directory, the same bytes for any number
 * of threads and across an interruption, and refusals that leave nothing behind.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSaelens } from '../../src/dictionaries/interop/saelens.ts';
import { NULL_NAMES, NULLS } from '../../src/evaluation/nulls/index.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { type PhaseReporter, type Reporter, Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import type { Workbench } from '../../src/pipeline/subject.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { readEvaluation, readMetrics, readRun } from '../../src/runs/directory.ts';
import { readExamples, readFeatures } from '../../src/runs/tables.ts';

const config = parseConfig({
  name: 'small',
  hook: 'blocks.1.hook_resid_post',
  corpus: { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96, k: 4 },
  training: { tokens: 12_800, batch: 256, learningRate: 2e-3, checkpointEvery: 10, windowRows: 1024 },
  evaluation: { resamples: 100 },
  interpretation: { topExamples: 2, sampledExamples: 10 },
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-runs-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
});
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

const bench = (threads = 2, more: Partial<Workbench> = {}): Workbench => ({
  backend: createNativeBackend({ threads }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  ...more,
});

/** What must not depend on threads or on interruptions. */
const DETERMINISTIC = [
  'sae/cfg.json',
  'sae/sae_weights.safetensors',
  'sae/sparsity.safetensors',
  'nulls/reinitialised/sae/sae_weights.safetensors',
  'metrics.jsonl',
  'evaluation.json',
  'features.parquet',
  'examples.parquet',
  'atlas.json',
  'atlas.parquet',
  'words.parquet',
  'directions.parquet',
  'direction_examples.parquet',
];

const hashes = (dir: string) => Promise.all(DETERMINISTIC.map((file) => sha256File(join(dir, file))));

describe('a run', () => {
  it('leaves a whole run directory', async () => {
    const dir = join(root, 'whole');
    expect(await trainRun(bench(), config, dir, { resume: false })).toBe(true);
    const { report } = await finishRun(bench(), dir);
    expect(report).toBe(join(dir, 'report.html'));
    expect((await readdir(dir)).sort()).toEqual(
      [
        'activations.safetensors',
        'atlas.json',
        'atlas.parquet',
        'checkpoints',
        'direction_examples.parquet',
        'directions.parquet',
        'evaluation.json',
        'examples.parquet',
        'features.parquet',
      ].concat(['metrics.jsonl', 'nulls', 'report.html', 'run.json', 'sae', 'words.parquet']),
    );
    const run = await readRun(dir);
    expect(run).toMatchObject({
      status: 'complete',
      model: { name: 'stories15M' },
      corpus: { modelGenerated: true },
    });
    expect(run.config.training.learningRate).toBe(2e-3);
    expect(run.config.training.auxLatents).toBe(144);
    expect(run.training).toEqual({ tokens: 12_800, steps: 50, deadLatents: expect.any(Number) });
    expect(Object.keys(run.timing)).toEqual(expect.arrayContaining(['training', 'evaluation', 'examples']));

    const lines = await readMetrics(dir);
    expect(lines.at(-1)!.step).toBe(50);
    expect(lines.at(-1)!.fvu).toBeLessThan(lines[0].fvu);
    expect(lines.some((line) => line.validationFvu !== undefined)).toBe(true);

    const { dictionary, metadata } = await readSaelens(join(dir, 'sae'));
    expect(dictionary).toMatchObject({ width: 288, latents: 96, selection: { kind: 'topk', k: 4 } });
    expect(metadata).toMatchObject({ model_name: 'stories15M', hook_name: config.hook });

    const evaluation = (await readEvaluation(dir))!;
    expect(evaluation.documents).toBe(20);
    for (const measured of Object.values(evaluation.metrics)) {
      expect(measured.nulls.map(({ name }) => name)).toEqual(['random', 'reinitialised']);
    }
    const { explainedVariance, l0 } = evaluation.metrics;
    expect(explainedVariance.value).toBeGreaterThan(explainedVariance.nulls[0].value!);
    expect(l0.value).toBeLessThanOrEqual(4);

    const features = (await readFeatures(dir))!;
    expect(features).toHaveLength(96);
    const examples = (await readExamples(dir))!;
    const alive = features.filter(({ firings }) => firings > 0);
    expect(new Set(examples.map(({ latent }) => latent)).size).toBe(alive.length);
    for (const { activations, focus, activation } of examples)
      expect(activations[focus]).toBeCloseTo(activation, 5);
  });

  it('gives the same bytes on one thread, and when it was interrupted three times', async () => {
    const alone = join(root, 'one-thread');
    await trainRun(bench(1), config, alone, { resume: false });
    await finishRun(bench(1), alone);
    const expected = await hashes(join(root, 'whole'));
    expect(await hashes(alone)).toEqual(expected);

    const dir = join(root, 'interrupted');
    const phases = ['training', 'training', 'training of the null'];
    for (const [i, phase] of phases.entries()) {
      const stop = new AbortController();
      const reporter = stopping(phase, 3 + 17 * i, stop);
      const finished = await trainRun(bench(2, { reporter, signal: stop.signal }), config, dir, {
        resume: i > 0,
      });
      expect(finished).toBe(false);
      expect((await readRun(dir)).status).toBe('interrupted');
    }
    expect(await trainRun(bench(), config, dir, { resume: true })).toBe(true);
    await finishRun(bench(), dir);
    expect(await hashes(dir)).toEqual(expected);
  }, 240_000);

  it('trains every null on the same rows, and resumes to the same bytes', async () => {
    const all = parseConfig({
      ...config,
      training: { ...config.training, tokens: 5120 },
      evaluation: { ...config.evaluation, nulls: 'all' },
    });
    const whole = join(root, 'nulls');
    await trainRun(bench(), all, whole, { resume: false });
    const { evaluation } = await finishRun(bench(), whole);
    expect(evaluation.nulls.map(({ name }) => name)).toEqual(NULL_NAMES);
    for (const { nulls } of Object.values(evaluation.metrics))
      expect(nulls.map(({ name }) => name)).toEqual(NULL_NAMES);
    expect(evaluation.density.dictionaries.map(({ name }) => name)).toEqual(['small', ...NULL_NAMES]);
    const trained = NULLS.filter(({ making }) => making.kind !== 'made').map(({ name }) => name);
    expect((await readdir(join(whole, 'nulls'))).sort()).toEqual([...trained].sort());
    const { metadata } = await readSaelens(join(whole, 'nulls', 'shuffled', 'sae'));
    expect(metadata.monosem_null).toBe('shuffled');

    const dir = join(root, 'nulls-interrupted');
    const stop = new AbortController();
    const reporter = stopping('training', 7, stop);
    const finished = await trainRun(bench(1, { reporter, signal: stop.signal }), all, dir, { resume: false });
    expect(finished).toBe(false);
    expect(await trainRun(bench(1), all, dir, { resume: true })).toBe(true);
    const metrics = (at: string) => sha256File(join(at, 'metrics.jsonl'));
    expect(await metrics(dir)).toBe(await metrics(whole));
    const ofNulls = (at: string) =>
      Promise.all(
        trained.map((name) => sha256File(join(at, 'nulls', name, 'sae', 'sae_weights.safetensors'))),
      );
    expect(await ofNulls(dir)).toEqual(await ofNulls(whole));

    // The dictionary itself does not know of its nulls.
    const alone = join(root, 'nulls-none');
    await trainRun(bench(), { ...all, evaluation: { ...all.evaluation, nulls: [] } }, alone, {
      resume: false,
    });
    const weights = (at: string) => sha256File(join(at, 'sae', 'sae_weights.safetensors'));
    expect(await weights(alone)).toBe(await weights(whole));
    expect(await weights(dir)).toBe(await weights(whole));
  }, 240_000);

  it('works with BatchTopK, whose threshold holds L0 near k on text that it never saw', async () => {
    const dir = join(root, 'batchtopk');
    const batchtopk = parseConfig({
      ...config,
      dictionary: { ...config.dictionary, family: 'batchtopk' },
      evaluation: { ...config.evaluation, nulls: [] },
    });
    await trainRun(bench(), batchtopk, dir, { resume: false });
    const { evaluation } = await finishRun(bench(), dir);
    expect(evaluation.metrics.l0.value).toBeGreaterThan(2.5);
    expect(evaluation.metrics.l0.value).toBeLessThan(6);
    const cfg = JSON.parse(await readFile(join(dir, 'sae', 'cfg.json'), 'utf8'));
    expect(cfg.architecture).toBe('jumprelu');
  });
});

describe('refusals', () => {
  it('does not touch a run directory that exists', async () => {
    const dir = join(root, 'taken');
    await mkdir(dir);
    await writeFile(join(dir, 'mine.txt'), 'mine');
    await expect(trainRun(bench(), config, dir, { resume: false })).rejects.toThrow(
      /taken: it exists already.*--resume/,
    );
    expect(await readdir(dir)).toEqual(['mine.txt']);
  });

  it('names what is missing of a run that was not trained to its end', async () => {
    const dir = join(root, 'untrained');
    const stop = new AbortController();
    const reporter = stopping('training', 2, stop);
    await trainRun(bench(2, { reporter, signal: stop.signal }), config, dir, { resume: false });
    await expect(finishRun(bench(), dir)).rejects.toThrow(/training has not finished.*--resume/);
    expect(await readdir(dir)).not.toContain('evaluation.json');
  });

  it('suggests the hook point that was meant', async () => {
    const mistaken = { ...config, hook: 'blocks.1.hook_resid_pots' };
    await expect(trainRun(bench(), mistaken, join(root, 'hook'), { resume: false })).rejects.toThrow(
      /blocks\.1\.hook_resid_post/,
    );
    expect(await readdir(root)).not.toContain('hook');
  });
});

/** Aborts at the given update of a phase. */
function stopping(phase: string, at: number, stop: AbortController): Reporter {
  return {
    note: () => {},
    begin: (name): PhaseReporter => {
      let updates = 0;
      return {
        end: () => {},
        update: () => {
          if (name === phase && ++updates === at) stop.abort();
        },
      };
    },
  };
}
