/**
 * What a world with known features is to everyone else: directions, how often each feature fires, and samples with
 * their labels. Any sample can be drawn at any time, by its number, so that whoever asks, in whatever order and in
 * whatever portions, gets the same bytes. It must not know how features come to fire, nor who looks for them.
 */

import type { SparseRows } from '../kernels/backend.ts';

/**
 * Samples are drawn in blocks of this many, each from a random stream of its own. Asking for whole blocks wastes nothing;
 * what is asked for beside them is drawn and thrown away.
 */
export const BLOCK_ROWS = 256;

/** Samples and what they are made of. */
export interface Samples {
  /** `[count, width]` */
  readonly x: Float32Array;
  /** The features that fire in each sample, with their amplitudes; `[count, features]`. */
  readonly labels: SparseRows;
}

export interface Distribution {
  readonly features: number;
  readonly width: number;
  /** A unit row for each feature, `[features, width]`. */
  readonly directions: Float32Array;
  /** The probability that a feature fires in a sample: exact, not estimated. `[features]` */
  readonly firingProbabilities: Float64Array;
  /** Features that fire in a sample, on average: the sum of their probabilities. */
  readonly expectedL0: number;
  /** The samples `first .. first + count - 1`. The caller owns the arrays. RangeError where these are not whole numbers >= 0. */
  draw(first: number, count: number): Samples;
}
