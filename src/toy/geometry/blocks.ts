/**
 * Features that share dimensions with one another and with no others: the blocks of which an optimal embedding is predicted
 * to consist, "block-semi-orthogonal" (Scherlis et al. 2022, arXiv 2210.01892). It must not know what features mean.
 */

import { symmetricEigen } from '../../math/eigen.ts';
import { absoluteCosine, directedRows, type FeatureRows, rowGram, rowNorms } from './rows.ts';

/** Two features share where the magnitude of their cosine exceeds this. */
const SHARED = 0.1;
/** Eigenvalues below this share of the largest are rounding. */
const RANK_TOLERANCE = 1e-9;

export interface FeatureBlock {
  /** Ascending. */
  readonly features: readonly number[];
  /** Dimensions that they span. */
  readonly rank: number;
  /**
   * `|W_B^T W_B - c P_B|_F / |W_B^T W_B|_F`, P_B the projection on what the block spans and c the mean eigenvalue: 0 for a tight
   * frame, which uses all of its dimensions' capacity.
   */
  readonly looseness: number;
}

/**
 * The connected components of "`|cos(W_i, W_j)| > 0.1`", largest first, of equal ones that with the lower feature. Rows below
 * 1 % of the longest are left out.
 */
export function featureBlocks(rows: FeatureRows): FeatureBlock[] {
  const n = rows.features;
  const gram = rowGram(rows);
  const directed = directedRows(rowNorms(gram, n));
  const left = new Set(directed.flatMap((yes, i) => (yes ? [i] : [])));
  const blocks: FeatureBlock[] = [];
  for (const start of left) {
    left.delete(start);
    const features = [start];
    for (let at = 0; at < features.length; at++) {
      for (const other of left) {
        if (absoluteCosine(gram, n, features[at], other) <= SHARED) continue;
        left.delete(other);
        features.push(other);
      }
    }
    features.sort((a, b) => a - b);
    blocks.push({ features, ...frame(gram, n, features) });
  }
  return blocks.sort((a, b) => b.features.length - a.features.length || a.features[0] - b.features[0]);
}

/** From the eigenvalues of `W_B W_B^T`, which but for zeros are those of `W_B^T W_B`. */
function frame(
  gram: Float64Array,
  n: number,
  features: readonly number[],
): { rank: number; looseness: number } {
  const size = features.length;
  const own = Float64Array.from(
    { length: size * size },
    (_, at) => gram[features[Math.floor(at / size)] * n + features[at % size]],
  );
  const { values } = symmetricEigen(own, size);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const spectrum = values.filter((value) => value > RANK_TOLERANCE * largest);
  const rank = spectrum.length;
  const mean = spectrum.reduce((sum, value) => sum + value, 0) / rank;
  return { rank, looseness: Math.hypot(...spectrum.map((value) => value - mean)) / Math.hypot(...spectrum) };
}
