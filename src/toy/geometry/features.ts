/**
 * How features share the dimensions of a hidden layer: of each feature's row in a weight, its norm, its share of a dimension,
 * and how far others overlap it. It must not know how the weight came about.
 *
 * Elhage et al. 2022, "Toy Models of Superposition", arXiv 2209.10652.
 */

import { directedRows, type FeatureRows, rowGram, rowNorms } from './rows.ts';

/** Norms below this count as this, as in the paper's notebook. */
const LEAST_NORM = 1e-6;
/** A feature whose row is longer than this is said to be represented. */
const REPRESENTED = 0.5;

export interface FeatureGeometry {
  /** `|W_i|` */
  readonly norms: Float64Array;
  /** How many features have `|W_i| > 1/2`. */
  readonly represented: number;
  /** `D* = m / |W|_F^2`: dimensions for each represented feature, while norms are about 0 or 1. */
  readonly dimensionsPerFeature: number;
  /**
   * `D_i = |W_i|^2 / sum_j (What_i . W_j)^2`, with `What_i = W_i / max(|W_i|, 1e-6)`: the share of a dimension that feature i
   * has; 1 for a feature alone, 1/2 in an antipodal pair. `sum_i D_i <= m`, with equality for rows that are tight frames of
   * what they span.
   */
  readonly dimensionality: Float64Array;
  /**
   * `C_i = (W_i . W_i)^2 / sum_j (W_i . W_j)^2` of Scherlis et al. 2022, "Polysemanticity and Capacity in Neural Networks",
   * arXiv 2210.01892: the same number as D_i, but NaN where the row is below 1 % of the longest, and its direction noise.
   */
  readonly capacity: Float64Array;
  /**
   * `sum over j != i of (What_i . W_j)^2`: how far other features lie along feature i; 0 for one with a dimension of its own,
   * about 1 for one that shares it in full.
   */
  readonly interference: Float64Array;
}

/** The geometry of `rows`; arrays are `[features]`. RangeError where the values do not fit the shape. O(features^2 hidden). */
export function featureGeometry(rows: FeatureRows): FeatureGeometry {
  const { features: n, hidden } = rows;
  const gram = rowGram(rows);
  const norms = rowNorms(gram, n);
  const interference = norms.map((norm, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) if (j !== i) sum += gram[i * n + j] ** 2;
    return sum / Math.max(norm, LEAST_NORM) ** 2;
  });
  const dimensionality = norms.map((norm, i) => {
    const along = norm ** 4 / Math.max(norm, LEAST_NORM) ** 2 + interference[i];
    return along > 0 ? norm ** 2 / along : 0;
  });
  const directed = directedRows(norms);
  return {
    norms,
    represented: norms.filter((norm) => norm > REPRESENTED).length,
    dimensionsPerFeature: hidden / norms.reduce((sum, norm) => sum + norm ** 2, 0),
    dimensionality,
    capacity: dimensionality.map((d, i) => (directed[i] ? d : NaN)),
    interference,
  };
}
