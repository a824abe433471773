/**
 * Whole runs of every family on a file of activations, and of transcoders and crosscoders on stories15M, as small as they
 * can be: from the configuration to the report, interrupted and resumed to the same bytes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeActivations } from '../../src/activations/files/index.ts';
import { memorySource } from '../../src/activations/memory.ts';
import { familyNames } from '../../src/dictionaries/families/index.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { readLearned } from '../../src/pipeline/learn.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import type { Workbench } from '../../src/pipeline/subject.ts';
import { parseConfig, type RunConfigInput } from '../../src/runs/config.ts';
import { readMetrics, readRun } from '../../src/runs/directory.ts';
import { readFeatures } from '../../src/runs/tables.ts';
import { smallWorld, width } from '../dictionaries/families/smallWorld.ts';

let root: string;
let file: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-families-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  const { activations } = smallWorld();
  const rows = activations.length / width;
  const sequences = Int32Array.from({ length: rows }, (_, r) => Math.floor(r / 10));
  file = join(root, 'world.safetensors');
  await writeActivations(file, memorySource({ width, activations, sequences }));
});
afterAll(async () => {
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

const bench = (signal?: AbortSignal): Workbench => ({
  backend: createNativeBackend({ threads: 2 }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  signal,
});

const FILES = ['sae/cfg.json', 'sae/sae_weights.safetensors', 'metrics.jsonl'];
const hashes = (dir: string) => Promise.all(FILES.map((name) => sha256File(join(dir, name))));

/** Trains to the end, and again with a stop at about half of the steps. */
async function trainTwice(input: RunConfigInput): Promise<string> {
  const config = parseConfig(input);
  const [whole, torn] = [join(root, config.name), join(root, `${config.name}-torn`)];
  expect(await trainRun(bench(), config, whole, { resume: false })).toBe(true);
  const stop = new AbortController();
  const steps = Math.floor(config.training.tokens / config.training.batch);
  const watched: Workbench = {
    ...bench(stop.signal),
    reporter: {
      ...silent,
      begin: (name) => ({
        update: (done) => {
          if (name === 'training' && done >= (steps / 2) * config.training.batch) stop.abort();
        },
        end: () => {},
      }),
    },
  };
  expect(await trainRun(watched, config, torn, { resume: false })).toBe(false);
  expect(await trainRun(bench(), config, torn, { resume: true })).toBe(true);
  expect(await hashes(torn)).toEqual(await hashes(whole));
  return whole;
}

const training = { tokens: 12_800, batch: 256, checkpointEvery: 7, windowRows: 1024 };

describe.each(familyNames)('%s', (family) => {
  it('trains on a file, stops and goes on to the same bytes, and says what came of it', async () => {
    const dir = await trainTwice({
      name: family,
      activations: file,
      corpus: { validationFraction: 0.1, testFraction: 0.1 },
      dictionary: { family, latents: 32, ...('k' in familyDefaults(family) && { k: 4 }) } as never,
      training,
      evaluation: { resamples: 50 },
      interpretation: { topExamples: 2, sampledExamples: 4 },
    });
    const { evaluation } = await finishRun(bench(), dir);
    const { value } = evaluation.metrics.explainedVariance;
    expect(value).toBeGreaterThan(-1);
    expect(evaluation.metrics.recoveredZero.value).toBeNull();
    const { status, file: about, model } = await readRun(dir);
    expect([status, about?.path, model]).toEqual(['complete', file, undefined]);
    expect((await readFeatures(dir))?.length).toBe(32);
    expect((await readMetrics(dir)).at(-1)?.step).toBe(50);
  });
});

function familyDefaults(family: (typeof familyNames)[number]): object {
  return parseConfig({ name: 'a', dictionary: { family } as never }).dictionary;
}

describe('on a model', () => {
  const corpus = { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 };
  const shared = { corpus, training, evaluation: { resamples: 50, nulls: false } };
  const hook = 'blocks.1.hook_resid_post';

  it('trains a transcoder with a skip path, whose reconstruction is put in for what it predicts', async () => {
    const dir = await trainTwice({
      name: 'transcoder',
      hook: 'blocks.1.hook_resid_mid',
      target: { hook: 'blocks.1.hook_mlp_out', skip: true },
      dictionary: { latents: 96, k: 8 },
      ...shared,
      evaluation: { resamples: 50 },
    });
    const { dictionary } = await readLearned(dir);
    expect(dictionary.skip?.length).toBe(288 * 288);
    expect(dictionary.inputBias).toBeUndefined();
    const { evaluation } = await finishRun(bench(), dir);
    expect(evaluation.metrics.explainedVariance.value).toBeGreaterThan(0.1);
    expect(evaluation.nulls.map(({ name }) => name)).toEqual(['reinitialised']);
    expect(JSON.parse(await readFile(join(dir, 'sae/cfg.json'), 'utf8')).metadata).toMatchObject({
      hook_name: 'blocks.1.hook_resid_mid',
      hook_name_out: 'blocks.1.hook_mlp_out',
    });
  });

  it.each(['batchtopk', 'relu'] as const)('trains a crosscoder over two hook points: %s', async (family) => {
    const dir = await trainTwice({
      name: `crosscoder-${family}`,
      hook: ['blocks.0.hook_resid_post', hook],
      dictionary: { family, latents: 96, ...(family === 'batchtopk' && { k: 8 }) } as never,
      ...shared,
    });
    const { dictionary, mean } = await readLearned(dir);
    expect([dictionary.width, dictionary.outputWidth, mean.length]).toEqual([576, 576, 576]);
    const { evaluation } = await finishRun(bench(), dir);
    expect(evaluation.metrics.explainedVariance.value).toBeGreaterThan(0.1);
  });

  it.each([
    [{ target: { hook: 'blocks.9.hook_mlp_out' } }, /blocks\.9\.hook_mlp_out/],
    [
      { target: { hook: 'blocks.1.hook_mlp_out' }, dictionary: { family: 'pursuit' } },
      /pursuit reconstructs what it reads/,
    ],
    [{ activations: 'a.npy', target: { hook } }, /nothing to predict but itself/],
  ])('refuses %j by name', async (change, message) => {
    const config = () => parseConfig({ name: 'refused', hook, ...shared, ...(change as object) });
    await expect(async () =>
      trainRun(bench(), config(), join(root, 'refused'), { resume: false }),
    ).rejects.toThrow(message);
  });
});
