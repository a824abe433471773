/**
 * Whether a latent says how strongly its feature is present: activations against true amplitudes, over the samples in
 * which both fire. Whether it fires rightly is for `groundTruthFirings.ts` to say. It must not know how features were
 * assigned to latents.
 */
import type { SparseRows } from '../kernels/backend.ts';
import { blocksOf, meanOfKnown, sumOverBlocks } from './blocks.ts';

/**
 * With amplitudes `a` of a feature and `c = activation |w|` of the latent that is paired with it, w its decoder row. NaN
 * where the feature has no latent, or both fire in too few samples or with too little spread to tell. `[features]` each.
 */
export interface MagnitudeScores {
  /** Of the least-squares line, `cov(a, c) / var(a)`: 1 where c follows a; less where it is squashed or noisy. */
  readonly slope: Float64Array;
  /** Squared correlation, `cov(a, c)^2 / (var(a) var(c))`: whether amplitudes could be read from c at all. */
  readonly r2: Float64Array;
  /** `1 - sum c / sum a`: the share that is missing, as an L1 penalty makes it (Wright and Sharkey 2024). */
  readonly shrinkage: Float64Array;
  readonly mean: { readonly slope: number; readonly r2: number; readonly shrinkage: number };
}

/** `[blocks, features]` each: samples in which both fire, and sums over them. */
export interface MagnitudeSums {
  readonly count: Float64Array;
  readonly a: Float64Array;
  readonly c: Float64Array;
  readonly aa: Float64Array;
  readonly ac: Float64Array;
  readonly cc: Float64Array;
}

/** A spread below this share of the mean square is rounding. */
const NO_SPREAD = 1e-9;

/**
 * Sums over the samples of each of `blocks` runs. `codes [rows, latents]`, `labels [rows, features]` with amplitudes,
 * `pairedFeature [latents]` from `scoreDirections`, `norms [latents]` of the decoder rows. RangeError where rows do not fit.
 */
export function sumMagnitudes(
  options: {
    codes: SparseRows;
    labels: SparseRows;
    features: number;
    pairedFeature: Int32Array;
    norms: ArrayLike<number>;
  },
  blocks: number,
): MagnitudeSums {
  const { codes, labels, features, pairedFeature, norms } = options;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  const blockOf = blocksOf(codes.rows, blocks);
  const zeros = () => new Float64Array(blocks * features);
  const sums = { count: zeros(), a: zeros(), c: zeros(), aa: zeros(), ac: zeros(), cc: zeros() };
  const amplitude = new Float64Array(features);
  for (let row = 0; row < codes.rows; row++) {
    const [from, end] = [labels.offsets[row], labels.offsets[row + 1]];
    for (let e = from; e < end; e++) amplitude[labels.indices[e]] = labels.values[e];
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      const latent = codes.indices[e];
      const feature = pairedFeature[latent];
      if (feature < 0 || amplitude[feature] === 0 || codes.values[e] === 0) continue;
      const at = blockOf[row] * features + feature;
      const [a, c] = [amplitude[feature], codes.values[e] * norms[latent]];
      sums.count[at]++;
      sums.a[at] += a;
      sums.c[at] += c;
      sums.aa[at] += a * a;
      sums.ac[at] += a * c;
      sums.cc[at] += c * c;
    }
    for (let e = from; e < end; e++) amplitude[labels.indices[e]] = 0;
  }
  return sums;
}

/** The scores of samples of which block b was drawn `weights[b]` times. */
export function magnitudeScores(sums: MagnitudeSums, weights: Float64Array): MagnitudeScores {
  const [count, a, c, aa, ac, cc] = [sums.count, sums.a, sums.c, sums.aa, sums.ac, sums.cc].map((table) =>
    sumOverBlocks(table, weights),
  );
  const [slope, r2, shrinkage] = [0, 0, 0].map(() => new Float64Array(count.length).fill(NaN));
  for (let i = 0; i < count.length; i++) {
    if (count[i] === 0) continue;
    shrinkage[i] = 1 - c[i] / a[i];
    const [ofA, ofC] = [aa[i] - a[i] ** 2 / count[i], cc[i] - c[i] ** 2 / count[i]];
    const together = ac[i] - (a[i] * c[i]) / count[i];
    if (ofA > NO_SPREAD * aa[i]) slope[i] = together / ofA;
    if (ofA > NO_SPREAD * aa[i] && ofC > NO_SPREAD * cc[i]) r2[i] = together ** 2 / (ofA * ofC);
  }
  const mean = { slope: meanOfKnown(slope), r2: meanOfKnown(r2), shrinkage: meanOfKnown(shrinkage) };
  return { slope, r2, shrinkage, mean };
}
