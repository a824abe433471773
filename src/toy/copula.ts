/**
 * Features whose firings are correlated: each sample has correlated normals, and a feature fires where its own exceeds
 * its threshold (a Gaussian copula). Emrich and Piedmonte, "A method for generating high-dimensional multivariate binary
 * variates", The American Statistician 45, 1991. It must not know what the features are, nor why they go together.
 */

import { cholesky } from '../math/cholesky.ts';
import { binaryEntropy } from '../math/entropy.ts';
import type { Random } from '../math/random.ts';
import type { Amplitudes } from './amplitudes.ts';
import { entropyGivenShared } from './coupling.ts';
import type { Entropy } from './distribution.ts';
import { type FiringLaw, firingLaw } from './firingLaw.ts';

/**
 * Feature i fires where `g_i > -quantile(p_i)`, `g = L z`, `z` independent standard normals, `L L^T = correlation`: so it
 * fires with probability `p_i` exactly, whatever the correlations.
 *
 * `firingProbabilities [features]` in (0, 1), `correlation [features, features]` of the normals, positive definite with
 * a diagonal of 1 (firings are correlated more weakly than normals). RangeError where one does not fit. Entropy, in bounds:
 * each feature's, given the normals of those before it, summed up (what they fire is known where the normals are), and
 * each feature's alone.
 */
export function copulaFirings(options: {
  firingProbabilities: Float64Array;
  correlation: Float64Array;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { firingProbabilities, correlation, amplitudes } = options;
  const features = firingProbabilities.length;
  firingProbabilities.forEach((p, i) => {
    if (!(p > 0 && p < 1)) throw new RangeError(`firing probability ${i}: expected one in (0, 1), not ${p}`);
    if (Math.abs(correlation[i * features + i] - 1) > 1e-9)
      throw new RangeError(`correlation: feature ${i} has ${correlation[i * features + i]} with itself`);
  });
  const loadings = cholesky(correlation, features);
  const entropy: Entropy = {
    kind: 'bounds',
    low: firingProbabilities.reduce(
      (sum, p, i) => sum + entropyGivenShared(p, loadings[i * features + i]),
      0,
    ),
    high: firingProbabilities.reduce((sum, p) => sum + binaryEntropy(p), 0),
  };
  const roots = Array.from(firingProbabilities, (probability, feature) => ({ feature, probability }));
  return firingLaw({ features, roots, amplitudes, coupling: { rank: features, loadings }, entropy });
}

/**
 * The same with normals `g_i = loadings[i] . u + sqrt(1 - |loadings[i]|^2) e_i`, all of them independent standard normals:
 * correlations are `loadings loadings^T` off the diagonal. `loadings [features, rank]`, rows no longer than 1 (RangeError).
 */
export function lowRankFirings(options: {
  probabilities: ArrayLike<number>;
  loadings: Float64Array;
  rank: number;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { probabilities, loadings, rank, amplitudes } = options;
  const roots = Array.from(probabilities, (probability, feature) => ({ feature, probability }));
  return firingLaw({ features: roots.length, roots, amplitudes, coupling: { rank, loadings } });
}

/** How much of a normal is its own at least: the longest row of `randomLoadings` has a squared length of 1 less this. */
const LEAST_OWN = 0.01;

/**
 * Loadings `[rows, rank]` of normals of standard deviation `scale`, all made shorter where the longest row leaves less than
 * 0.01 of a normal's variance to itself: SynthSAEBench's (arXiv 2602.14687).
 */
export function randomLoadings(rows: number, rank: number, scale: number, random: Random): Float64Array {
  const loadings = new Float64Array(rows * rank);
  random.fillNormal(loadings, scale);
  let longest = 0;
  for (let i = 0; i < rows; i++) {
    const square = loadings.subarray(i * rank, (i + 1) * rank).reduce((sum, l) => sum + l * l, 0);
    longest = Math.max(longest, square);
  }
  const factor = longest > 1 - LEAST_OWN ? Math.sqrt((1 - LEAST_OWN) / longest) : 1;
  return loadings.map((l) => factor * l);
}
