/**
 * All that can be said of a dictionary where the true features are known, each number with a 95 % interval and beside the
 * same number of a random dictionary. It must not know how the dictionary was trained, nor how numbers are shown.
 *
 * Intervals of what samples decide are percentile intervals of a bootstrap over 64 blocks of samples, with the matching of
 * latents and features left as it is. Directions do not depend on samples: means over features or latents are given the
 * interval of a bootstrap over these, which says how much they would vary in another world like this one, and what is no
 * mean, `uniqueness` and `decoderCosine`, has none.
 */
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import {
  bootstrapRatio,
  clusterBootstrap,
  clusterBootstraps,
  drawResamples,
  type Interval,
} from '../math/bootstrap.ts';
import { Random } from '../math/random.ts';
import type { Distribution, Samples } from '../toy/distribution.ts';
import { type ErrorSplit, splitError } from './errorSplit.ts';
import { type DirectionScores, scoreDirections } from './groundTruth.ts';
import { type AbsorptionCounts, absorptionScores, countAbsorption } from './groundTruthAbsorption.ts';
import { compositionScores, countCompositions, isMixed } from './groundTruthComposition.ts';
import { countFirings, firingScores } from './groundTruthFirings.ts';
import { magnitudeScores, sumMagnitudes } from './groundTruthMagnitudes.ts';
import { randomDictionary } from './nulls/random.ts';

const MOST_BLOCKS = 64;
const RESAMPLES = 1000;

/** A number with its interval, and the same of the null: as many random directions, as many of them active. */
export interface GroundTruthMeasured extends Interval {
  readonly null: Interval;
}

/** What is measured; each is defined where it is computed. */
export type GroundTruthName =
  // groundTruth.ts
  | 'mcc'
  | 'mccOverFeatures'
  | 'mmcsOfLatents'
  | 'mmcsOfFeatures'
  | 'uniqueness'
  | 'decoderCosine'
  // groundTruthFirings.ts: of each feature with its latent, and of each latent with its nearest feature
  | 'precision'
  | 'recall'
  | 'f1'
  | 'precisionOfLatents'
  | 'recallOfLatents'
  | 'f1OfLatents'
  // groundTruthMagnitudes.ts
  | 'slope'
  | 'r2'
  | 'shrinkage'
  // groundTruthComposition.ts
  | 'composed'
  | 'atomic'
  | 'atomsCovered'
  | 'mixed'
  // groundTruthAbsorption.ts, of trees only
  | 'keptWithChild'
  // errorSplit.ts
  | 'encoderFvu'
  | 'dictionaryFvu'
  | 'encoderF1'
  | 'dictionaryF1';

export interface GroundTruthMeasures {
  readonly rows: number;
  /** Active latents in a row, on average, of the dictionary and of the null. */
  readonly l0: number;
  readonly nullL0: number;
  readonly measures: Readonly<Partial<Record<GroundTruthName, GroundTruthMeasured>>>;
  /** How each of the learned and the true dictionary is read by an encoder and by oracles. */
  readonly split: ErrorSplit;
}

/**
 * Measures an autoencoder on the samples `first .. first + rows - 1` of a distribution, which it should not have been trained
 * on. `parentOf [features]`, -1 for roots, where the features are trees. `seed` decides the null and the resamples.
 * RangeError where the shapes do not fit, or as `splitError` has it.
 */
export async function measureGroundTruth(options: {
  backend: Backend;
  dictionary: Dictionary;
  distribution: Distribution;
  first: number;
  rows: number;
  seed: number;
  parentOf?: Int32Array;
}): Promise<GroundTruthMeasures> {
  const { backend, dictionary, distribution, first, rows, seed, parentOf } = options;
  const { width, features } = distribution;
  if (dictionary.width !== width)
    throw new RangeError(
      `dictionary: it reads a width of ${dictionary.width}; the distribution has ${width}`,
    );
  if (parentOf && parentOf.length !== features)
    throw new RangeError(`parentOf: ${parentOf.length} values were given for ${features} features`);
  const samples = await distribution.draw(backend, first, rows);
  const blocks = Math.min(MOST_BLOCKS, rows);
  const world: World = {
    backend,
    distribution,
    samples,
    parentOf,
    draws: drawResamples(blocks, RESAMPLES, new Random(seed, 'blocks')),
    seed,
  };
  const codes = await encode(backend, dictionary, samples.x, rows);
  const l0 = codes.values.length / rows;
  const null_ = await randomDictionary(
    backend,
    { latents: dictionary.latents, k: Math.max(1, Math.round(l0)), seed },
    meanOf(samples.x, width),
    samples.x,
    rows,
  );
  const nullCodes = await encode(backend, null_, samples.x, rows);
  const own = await measureOne(world, dictionary, codes);
  const beside = await measureOne(world, null_, nullCodes);
  const names = Object.keys(own.measures) as GroundTruthName[];
  return {
    rows,
    l0,
    nullL0: nullCodes.values.length / rows,
    measures: Object.fromEntries(
      names.map((name) => [name, { ...own.measures[name], null: beside.measures[name] }]),
    ),
    split: own.split,
  };
}

interface World {
  readonly backend: Backend;
  readonly distribution: Distribution;
  readonly samples: Samples;
  readonly parentOf?: Int32Array;
  /** Over blocks of samples. */
  readonly draws: readonly Uint16Array[];
  readonly seed: number;
}

type Intervals = Partial<Record<GroundTruthName, Interval>>;

async function measureOne(
  world: World,
  dictionary: Dictionary,
  codes: SparseRows,
): Promise<{ measures: Intervals; split: ErrorSplit }> {
  const { backend, distribution, samples, draws } = world;
  const { directions, width } = distribution;
  const scores = await scoreDirections(backend, dictionary.decoderWeight, directions, width);
  const split = await splitError(backend, dictionary, { directions, samples }, draws);
  return {
    measures: {
      ...measureDirections(scores, dictionary.latents, world.seed),
      ...measureSamples(world, dictionary, codes, scores),
      encoderFvu: split.fvu.encoder,
      dictionaryFvu: split.fvu.dictionary,
      encoderF1: split.f1.encoder,
      dictionaryF1: split.f1.dictionary,
    },
    split,
  };
}

function measureDirections(scores: DirectionScores, latents: number, seed: number): Intervals {
  const { cosines, pairedFeature, uniqueness, decoderCosine } = scores;
  const features = cosines.length / latents;
  const ofPair = new Float64Array(features);
  const [ofLatent, ofFeature] = [new Float64Array(latents), new Float64Array(features)];
  const mixed = new Float64Array(latents);
  for (let j = 0; j < latents; j++) {
    if (pairedFeature[j] >= 0) ofPair[pairedFeature[j]] = cosines[j * features + pairedFeature[j]];
    for (let i = 0; i < features; i++) {
      ofLatent[j] = Math.max(ofLatent[j], cosines[j * features + i]);
      ofFeature[i] = Math.max(ofFeature[i], cosines[j * features + i]);
    }
    mixed[j] = isMixed(cosines.subarray(j * features, (j + 1) * features)) ? 1 : 0;
  }
  const pairs = Float64Array.from(
    pairedFeature.filter((feature) => feature >= 0),
    (feature) => ofPair[feature],
  );
  const over = (values: Float64Array, unit: string): Interval =>
    bootstrapRatio({
      numerators: values,
      denominators: values.map(() => 1),
      random: new Random(seed, unit),
    });
  const without = (value: number, n: number) => ({ value, low: NaN, high: NaN, n });
  return {
    mcc: over(pairs, 'pairs'),
    mccOverFeatures: over(ofPair, 'features'),
    mmcsOfLatents: over(ofLatent, 'latents'),
    mmcsOfFeatures: over(ofFeature, 'features'),
    uniqueness: without(uniqueness, latents),
    decoderCosine: without(decoderCosine, latents),
    mixed: over(mixed, 'latents'),
  };
}

function measureSamples(
  { distribution, samples: { labels }, parentOf, draws }: World,
  { latents, decoderWeight, width }: Dictionary,
  codes: SparseRows,
  { nearestFeature, pairedFeature }: DirectionScores,
): Intervals {
  const { features } = distribution;
  const clusters = draws[0].length;
  const matched = { codes, labels, features, nearestFeature, pairedFeature };
  const norms = Float64Array.from({ length: latents }, (_, j) =>
    Math.hypot(...decoderWeight.subarray(j * width, (j + 1) * width)),
  );
  const firings = countFirings(matched, clusters);
  const magnitudes = sumMagnitudes({ ...matched, norms }, clusters);
  const compositions = countCompositions({ ...matched, latents }, clusters);
  const absorption = parentOf && countAbsorption({ ...matched, parentOf }, clusters);
  const ofTrees = (counts: AbsorptionCounts): Intervals => ({
    keptWithChild: clusterBootstrap({
      clusters,
      draws,
      statistic: (weights) => absorptionScores(counts, weights).mean,
    }),
  });
  const ofAll: Intervals = clusterBootstraps({
    clusters,
    draws,
    statistics: (weights) => {
      const { byFeature, byLatent } = firingScores(firings, weights);
      const { composed, atomic, atomsCovered } = compositionScores(compositions, weights);
      return {
        ...byFeature.mean,
        precisionOfLatents: byLatent.mean.precision,
        recallOfLatents: byLatent.mean.recall,
        f1OfLatents: byLatent.mean.f1,
        ...magnitudeScores(magnitudes, weights).mean,
        composed,
        atomic,
        atomsCovered,
      };
    },
  });
  return { ...ofAll, ...(absorption && ofTrees(absorption)) };
}

/** The mean of each column. */
function meanOf(x: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < x.length; i++) sums[i % width] += x[i];
  return Float32Array.from(sums, (sum) => (sum * width) / x.length);
}
