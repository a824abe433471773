/**
 * Latents as detectors of the true features: does a latent fire where its feature does? It must not know how features
 * were assigned to latents (`groundTruth.ts` does that), nor what their amplitudes mean.
 */
import type { SparseRows } from '../kernels/backend.ts';

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

/**
 * Scores of `codes [rows, latents]` on the samples that have `labels [rows, features]`; `nearestFeature` and
 * `pairedFeature [latents]` from `scoreDirections`. Its null: the codes of `randomDictionary`, with as many latents and
 * as many of them active. RangeError where lengths or indices do not fit.
 */
export function scoreFirings(options: {
  codes: SparseRows;
  labels: SparseRows;
  features: number;
  nearestFeature: Int32Array;
  pairedFeature: Int32Array;
}): GroundTruthFirings {
  const { codes, labels, features, nearestFeature, pairedFeature } = options;
  const latents = nearestFeature.length;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  if (pairedFeature.length !== latents)
    throw new RangeError(`pairedFeature: ${pairedFeature.length} values were given for ${latents} latents`);
  const latentFires = countColumns(codes, latents, 'codes');
  const featureFires = countColumns(labels, features, 'labels');
  const withNearest = new Float64Array(latents);
  const withPaired = new Float64Array(latents);
  const fires = new Uint8Array(features);
  for (let row = 0; row < codes.rows; row++) {
    const [from, end] = [labels.offsets[row], labels.offsets[row + 1]];
    for (let e = from; e < end; e++) fires[labels.indices[e]] = 1;
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      const latent = codes.indices[e];
      if (fires[nearestFeature[latent]] === 1) withNearest[latent]++;
      if (fires[pairedFeature[latent]] === 1) withPaired[latent]++;
    }
    for (let e = from; e < end; e++) fires[labels.indices[e]] = 0;
  }

  const byLatent = scores(latents, (latent) => ({
    both: withNearest[latent],
    latent: latentFires[latent],
    feature: featureFires[nearestFeature[latent]] ?? 0,
  }));
  const latentOf = new Int32Array(features).fill(-1);
  pairedFeature.forEach((feature, latent) => {
    if (feature >= 0) latentOf[feature] = latent;
  });
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

/** In how many rows each column has an entry, `[columns]`. */
function countColumns(sparse: SparseRows, columns: number, name: string): Float64Array {
  const counts = new Float64Array(columns);
  const entries = sparse.offsets[sparse.rows];
  for (let e = 0; e < entries; e++) {
    if (sparse.indices[e] >= columns)
      throw new RangeError(`${name}: column ${sparse.indices[e]} was given, of ${columns}`);
    counts[sparse.indices[e]]++;
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
  const mean = (values: Float64Array) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return { precision, recall, f1, mean: { precision: mean(precision), recall: mean(recall), f1: mean(f1) } };
}
