/**
 * The toy of "Sparse but Wrong" (Chanin and Garriga-Alonso 2025, arXiv 2508.16560, section 3): as many dimensions as one
 * could wish, no noise, and yet a dictionary of the wrong L0 learns the wrong features, since features are correlated.
 * It must not know who learns them.
 */

import { repairCorrelation } from '../math/correlation.ts';
import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from './additive.ts';
import { copulaFirings } from './copula.ts';
import type { Distribution } from './distribution.ts';

const FEATURES = 50;
const WIDTH = 100;
const AMPLITUDE_SD = 0.15;
/** The share of pairs that are given a correlation, half of them a positive one, and the range of its magnitude. */
const CORRELATED_SHARE = 0.7;
const [WEAKEST, STRONGEST] = [0.3, 0.9];
/** Where eigenvalues are clipped to make the drawn matrix a correlation matrix. */
const SMALLEST_EIGENVALUE = 1e-6;

/**
 * 50 features of orthonormal random directions in 100 dimensions. Feature i = 0 .. 49 fires with probability
 * `p_i = 0.345 (49 - i) / 50 + 0.05`, from 0.3881 to 0.05, as in the authors' code (their paper says "from 0.345 to 0.05",
 * which would make an L0 of 9.875): expected L0 `sum_i p_i = 10.9525`, the "true L0 of 11". Amplitudes are 1 +- 0.15.
 *
 * Of the pairs, 70 % get a correlation of their normals of magnitude uniform in [0.3, 0.9], half of them negative. No
 * such matrix is a correlation matrix, and repaired by clipping its eigenvalues at 1e-6, as the authors do, its
 * correlations are weaker; those of the firings are weaker still. `seed` decides the directions, the correlations and
 * the samples.
 */
export function orthogonalToy(seed: number): Distribution {
  const firingProbabilities = Float64Array.from(
    { length: FEATURES },
    (_, i) => (0.345 * (FEATURES - 1 - i)) / FEATURES + 0.05,
  );
  const correlation = randomCorrelation(FEATURES, new Random(seed, 'correlations'));
  return additiveDistribution({
    law: copulaFirings({
      firingProbabilities,
      correlation,
      amplitudes: { kind: 'normal', mean: 1, sd: AMPLITUDE_SD },
    }),
    width: WIDTH,
    directions: Float32Array.from(orthonormalRows(FEATURES, WIDTH, new Random(seed, 'directions'))),
    seed,
  });
}

/** The random correlation matrix `[n, n]` that `orthogonalToy` describes. */
export function randomCorrelation(n: number, random: Random): Float64Array {
  const pairs: [number, number][] = [];
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) pairs.push([i, j]);
  random.shuffle(pairs);
  const drawn = new Float64Array(n * n);
  for (let i = 0; i < n; i++) drawn[i * n + i] = 1;
  const correlated = Math.round(CORRELATED_SHARE * pairs.length);
  for (let place = 0; place < correlated; place++) {
    const [i, j] = pairs[place];
    const magnitude = WEAKEST + (STRONGEST - WEAKEST) * random.uniform();
    drawn[i * n + j] = place % 2 === 0 ? magnitude : -magnitude;
    drawn[j * n + i] = drawn[i * n + j];
  }
  return repairCorrelation(drawn, n, SMALLEST_EIGENVALUE);
}
