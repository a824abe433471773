/**
 * Dictionaries trained on a distribution with known features, for the experiments that ask what they then are. All of them
 * read the same samples in the same order. It must not know what is asked.
 */
import { knownSource } from '../activations/knownSource.ts';
import { activationScale } from '../activations/normalise.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { type DictionaryOptions, familyOf } from '../dictionaries/families/index.ts';
import type { Backend } from '../kernels/backend.ts';
import { inRawUnits } from '../pipeline/learn.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import { trainingOptions } from '../training/recipe.ts';
import { currentDictionary } from '../training/state.ts';
import { type Arm, train } from '../training/train.ts';

const BATCH = 1024;
/** Samples are independent, so a window need not be large to mix them. */
const WINDOW_ROWS = 16_384;

/**
 * Trains a dictionary as each of `wanted` says, `steps` batches of 1,024 samples, from the blocks at `firstBlock` on (those
 * before it are left for tests). Scaled to a mean squared norm of 1 for training; what is given back is for the samples as
 * they are.
 */
export async function trainDictionaries(
  backend: Backend,
  distribution: Distribution,
  wanted: readonly DictionaryOptions[],
  options: {
    firstBlock: number;
    steps: number;
    seed: number;
    learningRate: number;
    /** The recipe's where it is not given. */
    decayFraction?: number;
    afterStep?: (step: number) => void;
  },
): Promise<Dictionary[]> {
  const { firstBlock, steps, seed, learningRate, decayFraction, afterStep } = options;
  const { width } = distribution;
  const source = knownSource(backend, distribution, { firstBlock, sequences: (steps * BATCH) / BLOCK_ROWS });
  const block = { start: 0, end: width, ...(await activationScale(source, { seed, start: 0, end: width })) };
  const arms = wanted.map((dictionary): Arm => {
    const family = familyOf(dictionary.family);
    const given = { tokens: steps * BATCH, batch: BATCH, seed, shuffleSeed: seed, windowRows: WINDOW_ROWS };
    const options = trainingOptions(family, dictionary, { ...given, learningRate, decayFraction }, width);
    return { options, input: [block] };
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
