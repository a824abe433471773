/**
 * Latents as detectors of the true features: does a latent fire where its feature does? It must not know how features
 * were assigned to latents (`groundTruth.ts` does that), nor what their amplitudes mean.
 */
import type { SparseRows } from '../kernels/backend.ts';
import { blocksOf, meanOfKnown, sumOverBlocks } from './blocks.ts';

/**
 * With `TP` the samples in which a latent and its feature both fire, `L` those in which the latent does and `T` those in
 * which the feature does: precision `TP / L`, recall `TP / T`, F1 `2 TP / (L + T)`.
 */
export interface FiringScores {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  readonly f1: Float64Array;
  readonly mean: { readonly precision: number; readonly recall: number; readonly f1: number };
}

export interface GroundTruthFirings {
  /**
   * SynthSAEBench's definition (arXiv 2602.14687): each latent against its nearest feature, undefined ratios 0, mean over
   * all latents; `[latents]`. It is blind to features that are nearest to no latent: they cost nothing; and to copies:
   * many latents on one easy feature all score.
   */
  readonly byLatent: FiringScores;
  /**
   * Each feature against the latent that the one-to-one matching pairs with it, 0 where it has none, so that what is missed
   * costs; `[features]`. Features that never fire in these samples can be neither found nor missed: NaN, and not in the
   * means. Blind to latents that are left over, which `byLatent` sees.
   */
  readonly byFeature: FiringScores;
}

/** What `scoreFirings` is told: codes and labels of the same samples, and `scoreDirections`' matches. */
export interface Detectors {
  readonly codes: SparseRows;
  readonly labels: SparseRows;
  readonly features: number;
  readonly nearestFeature: Int32Array;
  readonly pairedFeature: Int32Array;
}

/**
 * Scores of `codes [rows, latents]` on the samples that have `labels [rows, features]`; `nearestFeature` and
 * `pairedFeature [latents]` from `scoreDirections`. Its null: the codes of `randomDictionary`, with as many latents and
 * as many of them active. RangeError where lengths or indices do not fit.
 */
export function scoreFirings(options: Detectors): GroundTruthFirings {
  return firingScores(countFirings(options, 1), Float64Array.of(1));
}

/** In how many samples of each block what fires: `[blocks, latents]`, and `featureFires [blocks, features]`. */
export interface FiringCounts extends Pick<Detectors, 'features' | 'nearestFeature' | 'pairedFeature'> {
  readonly latentFires: Float64Array;
  readonly featureFires: Float64Array;
  /** Samples in which the latent fires with its nearest feature, and with the one that it is paired with. */
  readonly withNearest: Float64Array;
  readonly withPaired: Float64Array;
}

/** The counts that `firingScores` needs, in `blocks` runs of samples. RangeError as in `scoreFirings`. */
export function countFirings(options: Detectors, blocks: number): FiringCounts {
  const { codes, labels, features, nearestFeature, pairedFeature } = options;
  const latents = nearestFeature.length;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  if (pairedFeature.length !== latents)
    throw new RangeError(`pairedFeature: ${pairedFeature.length} values were given for ${latents} latents`);
  const blockOf = blocksOf(codes.rows, blocks);
  const latentFires = countColumns(codes, latents, blockOf, blocks, 'codes');
  const featureFires = countColumns(labels, features, blockOf, blocks, 'labels');
  const withNearest = new Float64Array(blocks * latents);
  const withPaired = new Float64Array(blocks * latents);
  const fires = new Uint8Array(features);
  for (let row = 0; row < codes.rows; row++) {
    const [from, end] = [labels.offsets[row], labels.offsets[row + 1]];
    const shift = blockOf[row] * latents;
    for (let e = from; e < end; e++) fires[labels.indices[e]] = 1;
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      const latent = codes.indices[e];
      if (fires[nearestFeature[latent]] === 1) withNearest[shift + latent]++;
      if (fires[pairedFeature[latent]] === 1) withPaired[shift + latent]++;
    }
    for (let e = from; e < end; e++) fires[labels.indices[e]] = 0;
  }
  return { features, nearestFeature, pairedFeature, latentFires, featureFires, withNearest, withPaired };
}

/** The scores of samples of which block b was drawn `weights[b]` times. */
export function firingScores(counts: FiringCounts, weights: Float64Array): GroundTruthFirings {
  const { features, nearestFeature, pairedFeature } = counts;
  const [latentFires, featureFires, withNearest, withPaired] = [
    counts.latentFires,
    counts.featureFires,
    counts.withNearest,
    counts.withPaired,
  ].map((table) => sumOverBlocks(table, weights));
  const byLatent = scores(nearestFeature.length, (latent) => ({
    both: withNearest[latent],
    latent: latentFires[latent],
    feature: featureFires[nearestFeature[latent]] ?? 0,
  }));
  const latentOf = latentOfFeature(pairedFeature, features);
  const byFeature = scores(features, (feature) =>
    featureFires[feature] === 0
      ? undefined
      : {
          both: withPaired[latentOf[feature]] ?? 0,
          latent: latentFires[latentOf[feature]] ?? 0,
          feature: featureFires[feature],
        },
  );
  return { byLatent, byFeature };
}

/** The latent that is paired with each feature, -1 where none is; `[features]`, from `pairedFeature [latents]`. */
export function latentOfFeature(pairedFeature: Int32Array, features: number): Int32Array {
  const latentOf = new Int32Array(features).fill(-1);
  pairedFeature.forEach((feature, latent) => {
    if (feature >= 0) latentOf[feature] = latent;
  });
  return latentOf;
}

/** In how many rows of each block each column has an entry, `[blocks, columns]`. */
function countColumns(
  sparse: SparseRows,
  columns: number,
  blockOf: Uint32Array,
  blocks: number,
  name: string,
): Float64Array {
  const counts = new Float64Array(blocks * columns);
  for (let row = 0; row < sparse.rows; row++) {
    for (let e = sparse.offsets[row]; e < sparse.offsets[row + 1]; e++) {
      if (sparse.indices[e] >= columns)
        throw new RangeError(`${name}: column ${sparse.indices[e]} was given, of ${columns}`);
      counts[blockOf[row] * columns + sparse.indices[e]]++;
    }
  }
  return counts;
}

/** Scores from counts of samples; NaN and left out of the means where there are no counts. */
function scores(
  length: number,
  countsOf: (place: number) => { both: number; latent: number; feature: number } | undefined,
): FiringScores {
  const [precision, recall, f1] = [0, 0, 0].map(() => new Float64Array(length).fill(NaN));
  const ratio = (over: number, under: number) => (under > 0 ? over / under : 0);
  for (let place = 0; place < length; place++) {
    const counts = countsOf(place);
    if (counts === undefined) continue;
    const { both, latent, feature } = counts;
    precision[place] = ratio(both, latent);
    recall[place] = ratio(both, feature);
    f1[place] = ratio(2 * both, latent + feature);
  }
  const mean = { precision: meanOfKnown(precision), recall: meanOfKnown(recall), f1: meanOfKnown(f1) };
  return { precision, recall, f1, mean };
}
