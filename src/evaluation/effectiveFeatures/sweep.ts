/**
 * Effective features of any activations, with all that is known to bias the number beside it: dictionaries of several
 * widths at several sparsity penalties, the number of samples, and two nulls. Whether it is a property of the activations
 * or of the penalty is for `plateau.ts` to say. It must not know where activations come from.
 *
 * The recipe is that of Bereska et al. 2025 (arXiv 2512.13568): `tied.ts`, Adam at .001, batches of 128, until 10 passes
 * over the samples have not lowered the loss. They do not scale activations; here their mean square is made 1, as the
 * penalty is worth nothing without a unit.
 */
import { memorySource } from '../../activations/memory.ts';
import { activationScale } from '../../activations/normalise.ts';
import type { ActivationSource, Progress } from '../../activations/source.ts';
import { type Dictionary, foldScale } from '../../dictionaries/dictionary.ts';
import { InputError } from '../../formats/errors.ts';
import type { Backend } from '../../kernels/backend.ts';
import { drawResamples, type Interval } from '../../math/bootstrap.ts';
import { Random } from '../../math/random.ts';
import { trainingOptions } from '../../training/recipe.ts';
import { currentDictionary } from '../../training/state.ts';
import { type Arm, startArm, train } from '../../training/train.ts';
import { measure } from '../metrics.ts';
import { effectiveFeaturesBySamples, effectiveFeaturesOf } from './count.ts';
import { gaussianSource, measureMoments } from './gaussian.ts';
import { type Masses, measureMasses } from './masses.ts';
import { tied } from './tied.ts';

const BATCH = 128;
const PATIENCE = 10;
const RESAMPLES = 1000;
const WINDOW_ROWS = 16_384;

/** One dictionary of the sweep, measured on held-out activations. */
export interface EffectivePoint {
  readonly penalty: number;
  readonly latents: number;
  /** Effective features F, from 1 to `latents`; the interval is over documents. */
  readonly features: Interval;
  /** `psi = F / neurons`, features per dimension. */
  readonly perDimension: Interval;
  /** F of normals of the same mean and covariance, read by a dictionary trained on them with the same recipe. */
  readonly gaussian: Interval;
  /** F by the dictionary as it was before training. */
  readonly untrained: Interval;
  /** F of the first documents, so many groups of them. */
  readonly bySamples: readonly { readonly groups: number; readonly value: number }[];
  readonly explainedVariance: Interval;
  readonly l0: Interval;
}

export interface EffectiveRequest {
  readonly backend: Backend;
  /** Activations to train on, which are held in memory: a few thousand rows; the authors have up to 10,000. */
  readonly train: ActivationSource;
  /** Held-out activations to measure on; the number of documents is what decides whether F has settled. */
  readonly test: ActivationSource;
  /** Sparsity penalties; .01, .1 and 1 are the authors'. */
  readonly penalties: readonly number[];
  /** Latents of a dictionary for each neuron; .5 to 16 are the authors'. */
  readonly expansions: readonly number[];
  /** Passes over the samples at most; the authors' 800. */
  readonly epochs: number;
  readonly seed: number;
  readonly onProgress?: Progress;
}

/**
 * Trains and measures a dictionary for each expansion and penalty, in this order, ascending as given. InputError where there
 * are fewer rows to train on than a batch.
 */
export async function sweepEffectiveFeatures(request: EffectiveRequest): Promise<EffectivePoint[]> {
  const { backend, test, seed } = request;
  const held = await inMemory(request.train);
  const moments = await measureMoments(backend, held);
  const normals = {
    train: await inMemory(gaussianSource(backend, held, moments, seed)),
    test: gaussianSource(backend, test, moments, seed + 1),
  };
  const real = await trainAll(request, held, 0);
  const random = await trainAll(request, normals.train, 1);
  const masses = await measureMasses(backend, test, [...real.trained, ...real.untrained]);
  const beside = await measureMasses(backend, normals.test, random.trained);
  const { groups } = masses[0].sums;
  const draws = drawResamples(groups, RESAMPLES, new Random(seed, 'documents'));
  const count = ({ masses }: Masses) => effectiveFeaturesOf(masses, draws);
  return real.grid.map(({ penalty, latents }, i) => {
    const features = count(masses[i]);
    const { explainedVariance, l0 } = measure(masses[i].sums, draws);
    const per = (value: number) => value / test.width;
    return {
      penalty,
      latents,
      features,
      perDimension: {
        value: per(features.value),
        low: per(features.low),
        high: per(features.high),
        n: features.n,
      },
      gaussian: count(beside[i]),
      untrained: count(masses[real.grid.length + i]),
      bySamples: effectiveFeaturesBySamples(masses[i].masses, groups),
      explainedVariance,
      l0,
    };
  });
}

/** All rows of a source: each pass over them would make them anew. */
async function inMemory(source: ActivationSource): Promise<ActivationSource> {
  const all = Array.from({ length: source.sequences }, (_, s) => s);
  return memorySource({ width: source.width, ...(await source.read(all)) });
}

/** The grid's dictionaries on one source, after training and before, in the units of the source. */
async function trainAll(
  { backend, penalties, expansions, epochs, seed, onProgress }: EffectiveRequest,
  source: ActivationSource,
  part: 0 | 1,
): Promise<{ grid: { penalty: number; latents: number }[]; trained: Dictionary[]; untrained: Dictionary[] }> {
  const { width, totalRows } = source;
  const perEpoch = Math.floor(totalRows / BATCH);
  if (perEpoch === 0)
    throw new InputError(
      `the source has ${totalRows} activations, less than one batch of ${BATCH}: take more of them`,
    );
  const steps = perEpoch * epochs;
  const scale = Math.sqrt(width) * (await activationScale(source, { seed })).scale;
  const input = [{ start: 0, end: width, scale, mean: new Float32Array(width) }];
  const grid = expansions.flatMap((expansion) =>
    penalties.map((penalty) => ({ penalty, latents: Math.max(1, Math.round(expansion * width)) })),
  );
  const arms = grid.map(({ penalty, latents }): Arm => {
    const dictionary = tied.options.parse({ family: 'tied', latents, penalty });
    const options = trainingOptions(
      tied,
      dictionary,
      {
        tokens: steps * BATCH,
        batch: BATCH,
        learningRate: 1e-3,
        // Xavier's normals have rows of about this norm.
        decoderNorm: Math.sqrt((2 * width) / (width + latents)),
        gradientClip: Infinity,
        seed,
        shuffleSeed: seed,
        windowRows: WINDOW_ROWS,
      },
      width,
    );
    return { options, input };
  });
  const inUnits = (dictionary: Dictionary) => foldScale(dictionary, scale);
  const untrained = await Promise.all(
    arms.map(async (arm) => {
      const { options } = arm;
      return inUnits(await currentDictionary(backend, await startArm(backend, arm), options));
    }),
  );
  const patience = arms.map(() => new Patience(perEpoch));
  const results = await train({
    backend,
    stream: { source, batch: BATCH, windowRows: WINDOW_ROWS, shuffleSeed: seed },
    arms,
    afterStep: (step, metrics) => {
      onProgress?.(part * steps + step, 2 * steps);
      return metrics.flatMap((one, i) => (one && patience[i].isOver(one.loss + one.penalty) ? [i] : []));
    },
  });
  const trained = await Promise.all(
    results.map(async ({ state }, i) => inUnits(await currentDictionary(backend, state, arms[i].options))),
  );
  return { grid, trained, untrained };
}

/** Waits for a loss, summed over each pass, to fall. */
class Patience {
  readonly #perEpoch: number;
  #steps = 0;
  #sum = 0;
  #least = Infinity;
  #waited = 0;

  constructor(perEpoch: number) {
    this.#perEpoch = perEpoch;
  }

  /** Takes the loss of a step; true where `PATIENCE` passes in a row were no better than the best before them. */
  isOver(loss: number): boolean {
    this.#sum += loss;
    if (++this.#steps % this.#perEpoch !== 0) return false;
    this.#waited = this.#sum < this.#least ? 0 : this.#waited + 1;
    this.#least = Math.min(this.#least, this.#sum);
    this.#sum = 0;
    return this.#waited >= PATIENCE;
  }
}
