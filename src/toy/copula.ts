/**
 * Features whose firings are correlated: each sample has correlated normals, and a feature fires where its own exceeds
 * its threshold (a Gaussian copula). It must not know what the features are, nor why they go together.
 */

import { cholesky } from '../math/cholesky.ts';
import { normalQuantile } from '../math/normal.ts';
import { NormalStream } from '../math/ziggurat.ts';
import type { DrawBlock } from './additive.ts';
import { BLOCK_ROWS } from './distribution.ts';

/** Samples whose normals are made at once, for two features at a time: what is loaded serves more than one product. */
const TOGETHER = 4;

/**
 * Feature i fires where `g_i > -quantile(p_i)`, `g = L z`, `z` independent standard normals, `L L^T = correlation`: so it
 * fires with probability `p_i` exactly, whatever the correlations. Amplitudes are normals of mean 1 and standard
 * deviation `amplitudeSd`, independent of all else and drawn again where not > 0.
 *
 * `firingProbabilities [features]` in (0, 1), `correlation [features, features]` of the normals, positive definite with
 * a diagonal of 1 (firings are correlated more weakly than normals). Emrich and Piedmonte, "A method for generating
 * high-dimensional multivariate binary variates", The American Statistician 45, 1991. RangeError where one does not fit.
 */
export function copulaFirings(options: {
  firingProbabilities: Float64Array;
  correlation: Float64Array;
  amplitudeSd: number;
}): DrawBlock {
  const { firingProbabilities, correlation, amplitudeSd } = options;
  const features = firingProbabilities.length;
  const padded = features + (features % 2);
  const thresholds = new Float64Array(padded).fill(Infinity);
  firingProbabilities.forEach((p, i) => {
    if (!(p > 0 && p < 1)) throw new RangeError(`firing probability ${i}: expected one in (0, 1), not ${p}`);
    if (Math.abs(correlation[i * features + i] - 1) > 1e-9)
      throw new RangeError(`correlation: feature ${i} has ${correlation[i * features + i]} with itself`);
    thresholds[i] = -normalQuantile(p);
  });
  const lower = cholesky(correlation, features);
  // A last feature that never fires makes their number even.
  const factor = new Float64Array(padded * padded);
  for (let i = 0; i < features; i++) factor.set(lower.subarray(i * features, (i + 1) * features), i * padded);
  const z = new Float64Array(TOGETHER * padded);
  const fired = new Uint8Array(TOGETHER * padded);
  const spread = new Float64Array(features);
  const again = new Float64Array(1);

  return (random, { offsets, indices, values }) => {
    const normals = new NormalStream(random);
    let entries = 0;
    for (let row = 0; row < BLOCK_ROWS; row++) {
      const within = row % TOGETHER;
      if (within === 0) {
        normals.fill(z);
        fire(factor, thresholds, z, fired);
      }
      const from = entries;
      // Without a branch: a silent feature is written, and written over.
      for (let i = 0; i < features; i++) {
        indices[entries] = i;
        entries += fired[within * padded + i];
      }
      normals.fill(spread, entries - from);
      for (let e = from; e < entries; e++) {
        values[e] = 1 + amplitudeSd * spread[e - from];
        while (!(values[e] > 0)) {
          normals.fill(again);
          values[e] = 1 + amplitudeSd * again[0];
        }
      }
      offsets[row + 1] = entries;
    }
  };
}

/**
 * `fired[r, i] = 1` where `g_i = sum_j factor[i,j] z[j, r]` exceeds the threshold of feature i, 0 elsewhere;
 * `fired [TOGETHER, features]`, `z [features, TOGETHER]`, `factor` lower triangular, an even number of features.
 */
function fire(factor: Float64Array, thresholds: Float64Array, z: Float64Array, fired: Uint8Array): void {
  const n = thresholds.length;
  for (let i = 0; i < n; i += 2) {
    let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
    const rowA = i * n;
    const rowB = rowA + n;
    for (let j = 0; j <= i + 1; j++) {
      const from = TOGETHER * j;
      const z0 = z[from];
      const z1 = z[from + 1];
      const z2 = z[from + 2];
      const z3 = z[from + 3];
      const a = factor[rowA + j];
      const b = factor[rowB + j];
      a0 += a * z0;
      a1 += a * z1;
      a2 += a * z2;
      a3 += a * z3;
      b0 += b * z0;
      b1 += b * z1;
      b2 += b * z2;
      b3 += b * z3;
    }
    const [thresholdA, thresholdB] = [thresholds[i], thresholds[i + 1]];
    fired[i] = a0 > thresholdA ? 1 : 0;
    fired[i + n] = a1 > thresholdA ? 1 : 0;
    fired[i + 2 * n] = a2 > thresholdA ? 1 : 0;
    fired[i + 3 * n] = a3 > thresholdA ? 1 : 0;
    fired[i + 1] = b0 > thresholdB ? 1 : 0;
    fired[i + 1 + n] = b1 > thresholdB ? 1 : 0;
    fired[i + 1 + 2 * n] = b2 > thresholdB ? 1 : 0;
    fired[i + 1 + 3 * n] = b3 > thresholdB ? 1 : 0;
  }
}
