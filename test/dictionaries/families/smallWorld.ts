/**
 * A small world of known features, and a short training on it: enough to see that a family's loss falls, and that what
 * it finds are the features rather than any directions.
 */
import { memorySource } from '../../../src/activations/memory.ts';
import type { Dictionary } from '../../../src/dictionaries/dictionary.ts';
import type { Family, FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import type { Backend } from '../../../src/kernels/backend.ts';
import { Random } from '../../../src/math/random.ts';
import type { TrainingOptions } from '../../../src/training/options.ts';
import { currentDictionary, type TrainingState } from '../../../src/training/state.ts';
import type { StepMetrics } from '../../../src/training/step.ts';
import { trainOne } from '../../../src/training/train.ts';
import { optionsFor } from './gradientCheck.ts';

export const width = 16;
export const features = 24;
const rows = 3000;
/** Of the mean squared norm of 1 that most recipes are for: rows are sums of about three unit directions. */
export const scale = 3 ** -0.5;

/** Unit directions `[features, width]`, and rows in which each has a chance of 1 in 8, with amplitudes around 1. */
export function smallWorld(signed = false): { directions: Float32Array; activations: Float32Array } {
  const random = new Random(1, 'small world');
  const directions = new Float32Array(features * width);
  random.fillNormal(directions, 1);
  for (let f = 0; f < features; f++) {
    const row = directions.subarray(f * width, (f + 1) * width);
    const norm = Math.hypot(...row);
    for (let i = 0; i < width; i++) row[i] /= norm;
  }
  const activations = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    for (let f = 0; f < features; f++) {
      if (random.uniform() > 1 / 8) continue;
      const sign = signed && random.uniform() < 0.5 ? -1 : 1;
      const amplitude = sign * (1 + 0.2 * random.normal());
      for (let i = 0; i < width; i++) activations[r * width + i] += amplitude * directions[f * width + i];
    }
  }
  return { directions, activations };
}

export interface SmallTraining {
  readonly options: TrainingOptions;
  readonly state: TrainingState;
  readonly steps: readonly StepMetrics[];
  readonly dictionary: Dictionary;
  /** The best cosine of a decoder row with each feature, on average over features; without its sign in a signed world. */
  readonly cosine: number;
  /** The same of the directions that training started from. */
  readonly randomCosine: number;
}

/** Trains for 300 steps of 64 rows, or as `change` says, on activations that are `times` as large. */
export async function trainSmall(
  backend: Backend,
  family: Family,
  dictionary: FamilyOptions,
  {
    signed = false,
    times = 1,
    ...change
  }: Partial<TrainingOptions> & { signed?: boolean; times?: number } = {},
): Promise<SmallTraining> {
  const options = optionsFor(family, dictionary, {
    tokens: 64 * 300,
    batch: 64,
    learningRate: 1e-2,
    warmupFraction: 0.05,
    decayFraction: 0.3,
    auxCoefficient: family.recipe.auxCoefficient,
    auxLatents: width / 2,
    deadAfterTokens: 64 * 20,
    decoderNorm: family.recipe.decoderNorm,
    ...change,
  });
  const world = smallWorld(signed);
  const source = memorySource({
    width,
    activations: world.activations,
    sequences: Int32Array.from({ length: rows }, (_, r) => r),
  });
  const start = { backend, source, scale: scale * times, mean: new Float32Array(width), options };
  const { state: before } = await trainOne({
    ...start,
    options: { ...options, tokens: options.batch, learningRate: 0 },
  });
  const steps: StepMetrics[] = [];
  const { state } = await trainOne({ ...start, onStep: (step) => void steps.push(step) });
  return {
    options,
    state,
    steps,
    dictionary: await currentDictionary(backend, state, options),
    cosine: meanBestCosine(state.parameters.decoderWeight, world.directions, signed),
    randomCosine: meanBestCosine(before.parameters.decoderWeight, world.directions, signed),
  };
}

/** Mean of a metric over the last tenth of the steps. */
export function atTheEnd(steps: readonly StepMetrics[], of: (step: StepMetrics) => number): number {
  const last = steps.slice(-Math.ceil(steps.length / 10));
  return last.reduce((sum, step) => sum + of(step), 0) / last.length;
}

function meanBestCosine(decoder: Float32Array, directions: Float32Array, signed: boolean): number {
  let sum = 0;
  for (let f = 0; f < features; f++) {
    let best = -1;
    for (let j = 0; j < decoder.length / width; j++) {
      let [product, square] = [0, 0];
      for (let i = 0; i < width; i++) {
        product += decoder[j * width + i] * directions[f * width + i];
        square += decoder[j * width + i] ** 2;
      }
      best = Math.max(best, (signed ? Math.abs(product) : product) / Math.sqrt(square || 1));
    }
    sum += best / features;
  }
  return sum;
}
