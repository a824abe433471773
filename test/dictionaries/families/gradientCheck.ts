/**
 * A family's gradient against finite differences of its own loss: the loss is evaluated at parameters a little to either
 * side, which holds for every family whose penalty has the derivative that it says. (One that lets gradients through
 * where there are none, or stops them, states what it does in a test of its own.)
 */
import { expect } from 'vitest';
import type { Family, FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import type { Backend } from '../../../src/kernels/backend.ts';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { Random } from '../../../src/math/random.ts';
import { type BatchResult, propagate, type Rows } from '../../../src/training/gradients.ts';
import type { TrainingOptions } from '../../../src/training/options.ts';
import { initialState, type TrainingState } from '../../../src/training/state.ts';
import { createWorkspace } from '../../../src/training/workspace.ts';

/** What families are tested on. */
export const backends: readonly Backend[] = [createReferenceBackend(), createNativeBackend()];

export const rows = 13;
export const width = 7;

/** Options of a training whose schedules are all at their end. */
export function optionsFor(family: Family, dictionary: FamilyOptions, change: Partial<TrainingOptions> = {}) {
  const options: TrainingOptions = {
    family,
    dictionary,
    tokens: rows * 100,
    batch: rows,
    optimiser: 'adam',
    learningRate: 1e-3,
    warmupFraction: 0,
    decayFraction: 0,
    beta1: 0.9,
    beta2: 0.999,
    sparsityWarmupFraction: 0,
    kStart: dictionary.k ?? 0,
    kAnnealFraction: 0,
    auxCoefficient: 0,
    auxLatents: 3,
    deadAfterTokens: 1e9,
    resampleAt: [],
    decoderNorm: 1,
    skip: false,
    gradientClip: 1,
    seed: 0,
    shuffleSeed: 0,
    precision: 'fp32',
    windowRows: 1000,
    ...change,
  };
  return options;
}

export interface World {
  readonly options: TrainingOptions;
  readonly state: TrainingState;
  readonly data: Rows;
}

/** Random parameters and activations. Own parameters keep their starts, a little spread, so that they stay what they mean. */
export async function randomWorld(
  backend: Backend,
  options: TrainingOptions,
  seed: number,
  { outputWidth = width, outputBounds }: { outputWidth?: number; outputBounds?: Uint32Array } = {},
): Promise<World> {
  const random = new Random(seed, 'world');
  const autoencoder = outputWidth === width && outputBounds === undefined;
  const center = new Float32Array(outputWidth);
  const state = await initialState(backend, options, { width, center, outputBounds, autoencoder });
  const { parameters, latents } = state;
  for (const name of ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'])
    random.fillNormal(parameters[name], 0.5);
  if (parameters.skip) random.fillNormal(parameters.skip, 0.3);
  for (const name of Object.keys(options.family.own?.(options.dictionary) ?? {}))
    for (let j = 0; j < latents; j++) parameters[name][j] += 0.1 * random.uniform();
  if (options.family.unitDecoder)
    await backend.unitRows({ weight: parameters.decoderWeight, rows: latents, width: outputWidth });
  const x = new Float32Array(rows * width);
  random.fillNormal(x, 0.5);
  const y = new Float32Array(rows * outputWidth);
  random.fillNormal(y, 0.5);
  return { options, state, data: { x, scale: 2, ...(autoencoder ? {} : { target: { y, scale: 2 } }) } };
}

/** The loss that the family states, and its whole gradient, by name. Does not change the state. */
export async function gradientOf(
  backend: Backend,
  { options, state, data }: World,
): Promise<{ loss: number; gradient: Record<string, Float32Array>; result: BatchResult }> {
  const still = { ...state, memory: { ...state.memory } };
  const result = await propagate(backend, options, still, data, createWorkspace(backend));
  const { parameters, latents, width, outputWidth } = state;
  const gradient: Record<'encoderWeight' | 'encoderBias' | 'decoderWeight' | 'decoderBias', Float32Array> = {
    encoderWeight: new Float32Array(parameters.encoderWeight.length),
    encoderBias: new Float32Array(latents),
    decoderWeight: new Float32Array(latents * outputWidth),
    decoderBias: new Float32Array(parameters.decoderBias.length),
    ...result.own,
  };
  const throughInput = new Float64Array(width);
  if (result.loss.dense) Object.assign(gradient, result.loss.dense);
  else {
    await backend.latentGradients({ ...result.gradient, out: gradient });
    await backend.measureLatentGradients({ ...result.gradient, throughInput });
  }
  const centered = result.batch.input === result.batch.target;
  gradient.decoderBias.set(result.loss.outputSum.map((sum, i) => (centered ? sum - throughInput[i] : sum)));
  return { loss: result.loss.reconstruction + result.loss.penalty, gradient, result };
}

/**
 * Expects the gradient of the parameters named to agree with differences of the loss wherever that is smooth, which must
 * be the case for most elements.
 */
export async function expectGradient(
  backend: Backend,
  world: World,
  names: readonly string[],
): Promise<void> {
  const { gradient, loss: here } = await gradientOf(backend, world);
  const lossNow = async () => (await gradientOf(backend, world)).loss;
  const step = 1e-3;
  for (const name of names) {
    const values = world.state.parameters[name];
    let checked = 0;
    for (let i = 0; i < values.length; i++) {
      const before = values[i];
      values[i] = before + step;
      const [above, high] = [await lossNow(), values[i]];
      values[i] = before - step;
      const [below, low] = [await lossNow(), values[i]];
      values[i] = before;
      const numeric = (above - below) / (high - low);
      // A step that changes the selection has no derivative; the two one-sided ones then differ.
      const [forward, backward] = [(above - here) / (high - before), (here - below) / (before - low)];
      if (Math.abs(forward - backward) > 0.05 * (1 + Math.abs(numeric))) continue;
      expect(
        Math.abs(gradient[name][i] - numeric),
        `${name}[${i}]: ${gradient[name][i]}, not ${numeric}`,
      ).toBeLessThan(4e-3 * (1 + Math.abs(numeric)));
      checked++;
    }
    expect(checked, `smooth elements of ${name}`).toBeGreaterThan(0.8 * values.length);
  }
}
