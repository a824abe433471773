/**
 * Dictionaries trained on a distribution with known features, for whoever asks what they then are. All of them
 * read the same samples in the same order. It must not know what is asked.
 */
import { knownSource } from '../activations/knownSource.ts';
import { activationScale } from '../activations/normalise.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { type DictionaryOptions, familyOf } from '../dictionaries/families/index.ts';
import type { NullTraining } from '../evaluation/nulls/index.ts';
import type { Backend } from '../kernels/backend.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import type { TrainingOptions } from '../training/options.ts';
import { trainingOptions } from '../training/recipe.ts';
import { currentDictionary } from '../training/state.ts';
import { type Arm, train } from '../training/train.ts';
import { inRawUnits } from './learn.ts';

const BATCH = 1024;
/** Samples are independent, so a window need not be large to mix them. */
const WINDOW_ROWS = 16_384;

/** A dictionary to be trained: its own seed where it has one, and what it may not learn where it is a null. */
export interface Wanted extends NullTraining {
  readonly dictionary: DictionaryOptions;
  readonly seed?: number;
  /** What its training is told beside what all are; this comes first. */
  readonly training?: Pick<
    Partial<TrainingOptions>,
    'learningRate' | 'warmupFraction' | 'decayFraction' | 'sparsityWarmupFraction' | 'resampleAt'
  >;
  /** Its decoder's bias begins at 0, not at the mean of the samples. */
  readonly fromZero?: boolean;
}

/**
 * Trains a dictionary as each of `wanted` says, `steps` batches of 1,024 samples, from the blocks at `firstBlock` on (those
 * before it are left for tests). Scaled to a mean squared norm of 1 for training; what is given back is for the samples as
 * they are.
 */
export async function trainDictionaries(
  backend: Backend,
  distribution: Distribution,
  wanted: readonly Wanted[],
  options: {
    firstBlock: number;
    steps: number;
    seed: number;
    learningRate: number;
    /** The family's where they are not given. */
    warmupFraction?: number;
    decayFraction?: number;
    beta2?: number;
    afterStep?: (step: number) => void;
  },
): Promise<Dictionary[]> {
  const { firstBlock, steps, seed, learningRate, warmupFraction, decayFraction, beta2, afterStep } = options;
  const { width } = distribution;
  const source = knownSource(backend, distribution, { firstBlock, sequences: (steps * BATCH) / BLOCK_ROWS });
  const block = { start: 0, end: width, ...(await activationScale(source, { seed, start: 0, end: width })) };
  const arms = wanted.map(({ dictionary, seed: own = seed, freeze, mixed, training, fromZero }): Arm => {
    const family = familyOf(dictionary.family);
    const given = {
      tokens: steps * BATCH,
      batch: BATCH,
      seed: own,
      shuffleSeed: seed,
      windowRows: WINDOW_ROWS,
      learningRate,
      warmupFraction,
      decayFraction,
      beta2,
    };
    // Resampling moves what is frozen.
    const frozen = freeze && { freeze, resampleAt: [] };
    const options = trainingOptions(family, dictionary, { ...given, ...training, ...frozen }, width);
    return { options, input: [fromZero ? { ...block, mean: new Float32Array(width) } : block], mixed };
  });
  const trained = await train({
    backend,
    stream: { source, batch: BATCH, windowRows: WINDOW_ROWS, shuffleSeed: seed },
    arms,
    afterStep: (step) => {
      afterStep?.(step);
      return [];
    },
  });
  return Promise.all(
    trained.map(async ({ state }, i) =>
      inRawUnits(await currentDictionary(backend, state, arms[i].options), arms[i]),
    ),
  );
}
