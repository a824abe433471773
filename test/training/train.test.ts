/**
 * Training as a whole, on data with known features: it learns them, the same seed gives the same bytes on any number
 * of threads and across a stop or a kill, and what cannot be trained is refused by name.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../src/dictionaries/dictionary.ts';
import { familyOf } from '../../src/dictionaries/families/index.ts';
import { sha256 } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { totalSteps } from '../../src/training/options.ts';
import { learningRate } from '../../src/training/schedules.ts';
import { currentDictionary, type TrainingState } from '../../src/training/state.ts';
import type { StepMetrics } from '../../src/training/step.ts';
import { trainOne } from '../../src/training/train.ts';
import { temporary } from '../temporary.ts';
import { activations, directions, features, mean, options, rows, scale, source, width } from './world.mjs';

const shared = { source, scale, mean };

function bytesOf(state: TrainingState): string {
  const arrays = [state.parameters, state.firstMoment, state.secondMoment].flatMap((p) => Object.values(p));
  const numbers = Float64Array.of(state.step, ...Object.values(state.memory));
  const all = [...arrays, state.tokensSinceFired, numbers];
  return sha256(Buffer.concat(all.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}

/** Mean over true directions of the largest cosine with a decoder row. */
function recovered(state: TrainingState): number {
  let total = 0;
  for (let f = 0; f < features; f++) {
    const direction = directions.subarray(f * width, (f + 1) * width);
    const norm = Math.hypot(...direction);
    let best = 0;
    for (let j = 0; j < state.latents; j++) {
      let dot = 0;
      for (let i = 0; i < width; i++) dot += direction[i] * state.parameters.decoderWeight[j * width + i];
      best = Math.max(best, dot / norm);
    }
    total += best / features;
  }
  return total;
}

const of = (family: 'topk' | 'batchtopk') => ({
  ...options,
  family: familyOf(family),
  dictionary: { ...options.dictionary, family },
});

let dir: string;
beforeEach(async () => {
  dir = await temporary();
});
afterAll(() => void createNativeBackend());

describe.each(['topk', 'batchtopk'] as const)('%s', (family) => {
  it('finds the features of the data, keeps latents alive and decoder rows at unit norm', async () => {
    const steps: StepMetrics[] = [];
    const { state, end } = await trainOne({
      ...shared,
      backend: createNativeBackend(),
      options: { ...of(family), tokens: 256 * 1500 },
      onStep: (metrics) => void steps.push(metrics),
    });
    expect(end).toBe('finished');
    expect(recovered(state)).toBeGreaterThan(0.9);
    expect(steps.at(-1)!.fvu).toBeLessThan(0.2);
    expect(steps.at(-1)!.fvu).toBeLessThan(0.3 * steps[0].fvu);
    for (let j = 0; j < state.latents; j++) {
      const row = state.parameters.decoderWeight.subarray(j * width, (j + 1) * width);
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    }
  });

  it('agrees between backends', async () => {
    const short = { ...of(family), tokens: 256 * 12 };
    const losses = await Promise.all(
      [createReferenceBackend(), createNativeBackend()].map(async (backend) => {
        const found: number[] = [];
        await trainOne({ ...shared, backend, options: short, onStep: ({ loss }) => void found.push(loss) });
        return found;
      }),
    );
    losses[0].forEach((loss, i) => {
      expect(Math.abs(losses[1][i] - loss)).toBeLessThan(1e-3 * loss);
    });
  });

  it('gives the same bytes on any number of threads, and across a stop', async () => {
    const run = (threads: number, request: object = {}) =>
      trainOne({
        ...shared,
        backend: createNativeBackend({ threads }),
        options: of(family),
        ...request,
      });
    const whole = bytesOf((await run(1)).state);
    expect(bytesOf((await run(2)).state)).toBe(whole);

    const checkpoints = { dir: join(dir, 'checkpoints'), every: 40 };
    const stop = new AbortController();
    const stopped = await run(2, {
      checkpoints,
      signal: stop.signal,
      onStep: ({ step }: StepMetrics) => {
        if (step === 133) stop.abort();
      },
    });
    expect(stopped.end).toBe('interrupted');
    expect(await readdir(checkpoints.dir)).toContain('133');
    const resumed = await run(1, { checkpoints, resume: true });
    expect(resumed.end).toBe('finished');
    expect(bytesOf(resumed.state)).toBe(whole);
  });
});

it('gives the same bytes when several trainings share the threads', async () => {
  const backend = createNativeBackend({ threads: 2 });
  const run = async (seed: number, precision: 'fp32' | 'bf16') =>
    bytesOf((await trainOne({ ...shared, backend, options: { ...options, seed, precision } })).state);
  const kinds = [
    [1, 'fp32'],
    [2, 'bf16'],
    [3, 'fp32'],
  ] as const;
  const together = await Promise.all(kinds.map(([seed, precision]) => run(seed, precision)));
  for (const [i, [seed, precision]] of kinds.entries()) expect(await run(seed, precision)).toBe(together[i]);
  expect(new Set(together).size).toBe(3);
});

it('is bit-exact across kill -9 at any moment', async () => {
  const whole = bytesOf((await trainOne({ ...shared, backend: createNativeBackend(), options })).state);
  const checkpoints = join(dir, 'checkpoints');
  const script = new URL('./trainToKill.mjs', import.meta.url).pathname;
  // Killed after various times, some while a checkpoint is being written: one is written after each step.
  for (const delay of [60, 170, 290, 430]) {
    await new Promise<void>((resolve) => {
      const child = spawn(process.execPath, [script, checkpoints], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay));
      child.once('exit', () => resolve());
    });
  }
  const resumedAt: number[] = [];
  const resumed = await trainOne({
    ...shared,
    backend: createNativeBackend(),
    options,
    checkpoints: { dir: checkpoints, every: 1000 },
    resume: true,
    onStart: (step) => void resumedAt.push(step),
  });
  expect(resumedAt[0]).toBeGreaterThan(0);
  expect(bytesOf(resumed.state)).toBe(whole);
});

describe('BatchTopK threshold', () => {
  it('lets about k latents through after a short run, and is frozen', async () => {
    const backend = createNativeBackend();
    const short = { ...of('batchtopk'), tokens: 256 * 120 };
    const { state } = await trainOne({ ...shared, backend, options: short });
    const dictionary = await currentDictionary(backend, state, short);
    const scaled = activations.map((value) => shared.scale * value);
    const before = { ...state.memory };
    const codes = await encode(backend, dictionary, scaled, rows);
    expect(codes.values.length / rows).toBeGreaterThan(0.8 * 3);
    expect(codes.values.length / rows).toBeLessThan(1.2 * 3);
    expect(state.memory).toEqual(before);
    expect([...new Set((dictionary.selection as { threshold: Float32Array }).threshold)]).toEqual([
      Math.fround(before.thresholdSum / before.thresholdWeight),
    ]);
  });
});

it('counts death in tokens: the same dead latents for any batch size', async () => {
  const backend = createNativeBackend();
  const dead = async (batch: number) => {
    let last = 0;
    const frozen = {
      ...options,
      learningRate: 0,
      auxCoefficient: 0,
      batch,
      tokens: 4096,
      dictionary: { family: 'topk', latents: 600, k: 1 },
      deadAfterTokens: 2048,
    };
    await trainOne({ ...shared, backend, options: frozen, onStep: (metrics) => void (last = metrics.dead) });
    return last;
  };
  // Nothing is learned, so whether a latent fires depends on the data alone; the last step's own rows differ.
  const [small, large] = [await dead(128), await dead(512)];
  expect(small).toBeGreaterThan(20);
  expect(Math.abs(small - large) / small).toBeLessThan(0.35);
});

it('warms up and decays the learning rate', () => {
  const total = totalSteps(options);
  const rates = Array.from({ length: total }, (_, i) => learningRate(options, i + 1));
  expect(rates[0]).toBeCloseTo(options.learningRate / 15, 8);
  expect(rates[14]).toBeCloseTo(options.learningRate, 8);
  expect(Math.max(...rates)).toBe(options.learningRate);
  expect(rates[total - 1]).toBeCloseTo(options.learningRate / 60, 8);
});

describe('refusals', () => {
  const backend = createNativeBackend();
  it.each([
    [
      'k above the number of latents',
      { dictionary: { family: 'topk', latents: 64, k: 65 } },
      /dictionary\.k is 65.*64 latents/,
    ],
    ['fewer tokens than a batch', { tokens: 100 }, /training\.tokens is 100.*256/],
    ['a batch larger than the source', { batch: 7000, tokens: 7000 }, /6000 activations.*7000/],
    [
      'a rate at which the loss runs away',
      { learningRate: 1e30, gradientClip: 1e30, tokens: 256 * 60 },
      /learningRate/,
    ],
  ])('names %s', async (_, change, message) => {
    await expect(trainOne({ ...shared, backend, options: { ...options, ...change } })).rejects.toThrow(
      message,
    );
  });

  it('names a checkpoint of another configuration, and one that was cut short', async () => {
    const checkpoints = { dir, every: 10 };
    await trainOne({ ...shared, backend, options: { ...options, tokens: 2560 }, checkpoints });
    const wider = { ...options, dictionary: { family: 'topk', latents: 70, k: 3 }, tokens: 5120 };
    await expect(trainOne({ ...shared, backend, options: wider, checkpoints, resume: true })).rejects.toThrow(
      /another configuration/,
    );
    const file = join(dir, '10', 'state.safetensors');
    await truncate(file, (await readFile(file)).length - 8);
    await expect(trainOne({ ...shared, backend, options, checkpoints, resume: true })).rejects.toThrow(
      /state\.safetensors/,
    );
  });

  it('passes over what a kill left half-written', async () => {
    await rm(dir, { recursive: true });
    await trainOne({
      ...shared,
      backend,
      options: { ...options, tokens: 2560 },
      checkpoints: { dir, every: 5 },
    });
    await writeFile(join(dir, '.99.half'), 'torn');
    const steps: number[] = [];
    await trainOne({
      ...shared,
      backend,
      options: { ...options, tokens: 3840 },
      checkpoints: { dir, every: 5 },
      resume: true,
      onStart: (s) => void steps.push(s),
    });
    expect(steps).toEqual([10]);
  });
});
