/**
 * What a world with known features is to everyone else: directions, how often each feature fires, and samples with
 * their labels. Any sample can be drawn at any time, by its number, so that whoever asks, in whatever order and in
 * whatever portions, gets the same bytes. It must not know how features come to fire, nor who looks for them.
 */

import type { Backend, SparseRows } from '../kernels/backend.ts';

/**
 * Samples are drawn in blocks of this many, each from random streams of its own. Asking for whole blocks wastes nothing;
 * what is asked for beside them is drawn and thrown away.
 */
export const BLOCK_ROWS = 256;

/** Samples and what they are made of. */
export interface Samples {
  /** `[count, width]` */
  readonly x: Float32Array;
  /** The features that fire in each sample, with their amplitudes, all > 0; `[count, features]`. */
  readonly labels: SparseRows;
  /**
   * Where on its curve a feature stands, in turns, [0, 1), for each entry of the labels; 0 for features of one dimension.
   * Only in worlds that have others.
   */
  readonly positions?: Float32Array;
}

/** Of which features fire together, in bits: exact, or between two bounds. Amplitudes and positions are not in it. */
export type Entropy =
  | { readonly kind: 'exact'; readonly bits: number }
  | { readonly kind: 'bounds'; readonly low: number; readonly high: number };

export interface Distribution {
  readonly features: number;
  readonly width: number;
  /** Unit rows, `[rows, width]`: one for each feature, or more where a feature has more dimensions than one. */
  readonly directions: Float32Array;
  /** Feature i has the directions `firstDirection[i] .. firstDirection[i + 1]`. `[features + 1]` */
  readonly firstDirection: Uint32Array;
  /** What is added to every sample, `[width]`. */
  readonly bias?: Float32Array;
  /** The probability that a feature fires in a sample: exact, not estimated. `[features]` */
  readonly firingProbabilities: Float64Array;
  /** Features that fire in a sample, on average: the sum of their probabilities. */
  readonly expectedL0: number;
  readonly entropy: Entropy;
  /**
   * The samples `first .. first + count - 1`, the same labels on any backend, x to rounding. The caller owns the arrays.
   * RangeError where these are not whole numbers >= 0.
   */
  draw(backend: Backend, first: number, count: number): Promise<Samples>;
  /**
   * Writes x of whole blocks, those of the numbers `blocks`, one after the other to `out [blocks * BLOCK_ROWS, width]`:
   * the samples that `draw` gives.
   */
  drawBlocks(backend: Backend, blocks: ArrayLike<number>, out: Float32Array): Promise<void>;
}
