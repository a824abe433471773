/**
 * How many active features l1 minimisation can read out of m random dimensions: the weak thresholds of Donoho and Tanner,
 * "Counting faces of randomly projected polytopes when the projection radically lowers dimension", Journal of the AMS 22,
 * 2009, in the closed form that Donoho, Maleki and Montanari, "Message-passing algorithms for compressed sensing", PNAS
 * 106, 2009, give. An encoder that reads with one matrix product does worse. It must not know who encodes.
 */

import { bisect } from '../../math/bisect.ts';
import { normalDensity, normalProbability } from '../../math/normal.ts';
import { checkCounts } from './welch.ts';

/** Whether amplitudes may be of either sign; where they are known to be >= 0, more can be read. */
export type Signs = 'signed' | 'nonnegative';

/** Beyond it the tail of the normal is below 1e-60. */
const LARGEST_Z = 16.5;
const [LEAST_DELTA, MOST_DELTA] = [1e-12, 1];

/**
 * `rho(delta) = max_z (1 - kappa g(z) / delta) / (1 + z^2 - kappa g(z))`, `g(z) = (1 + z^2) P(normal > z) - z density(z)`,
 * kappa 2 for `signed` and 1 for `nonnegative`. With n features, m = delta n Gaussian dimensions and k active, l1
 * minimisation finds most supports where `k < rho m` and hardly any where `k > rho m`, the sharper the larger n is.
 * RangeError where delta is not in [1e-12, 1].
 */
export function weakThreshold(delta: number, signs: Signs): number {
  if (!(delta >= LEAST_DELTA && delta <= MOST_DELTA))
    throw new RangeError(`delta: m / n is in [${LEAST_DELTA}, ${MOST_DELTA}], not ${delta}`);
  const kappa = signs === 'signed' ? 2 : 1;
  const ratio = (z: number) => {
    const g = kappa * ((1 + z * z) * normalProbability(-z) - z * normalDensity(z));
    return (1 - g / delta) / (1 + z * z - g);
  };
  // Golden section: the ratio rises to one maximum and falls. At z = 0 and kappa 2 it is 0 / 0 for delta = 1.
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [1e-9, LARGEST_Z];
  while (high - low > 1e-9) {
    const reach = golden * (high - low);
    if (ratio(high - reach) < ratio(low + reach)) low = high - reach;
    else high = low + reach;
  }
  return Math.min(1, ratio((low + high) / 2));
}

/** How many of n features may be active in m dimensions, `m rho(m / n)`; all m where n <= m. RangeError where a count is not >= 1. */
export function mostActive(n: number, m: number, signs: Signs): number {
  checkCounts({ n, m });
  return m * (n <= m ? 1 : weakThreshold(m / n, signs));
}

/**
 * How many features fit in m dimensions when k are active: the n with `rho(m / n) = k / m`, not rounded. It grows as
 * `k exp(m / (2 k))` or so, up to `m 1e12` here. RangeError where a count is not >= 1 or k > m.
 */
export function mostFeatures(m: number, k: number, signs: Signs): number {
  checkCounts({ m, k });
  if (k > m) throw new RangeError(`k: ${k} active features cannot be read in ${m} dimensions`);
  const logDelta = bisect(
    (log) => weakThreshold(Math.exp(log), signs),
    k / m,
    Math.log(LEAST_DELTA) + 1e-9,
    Math.log(MOST_DELTA),
  );
  return m / Math.exp(logDelta);
}

/** The fewest dimensions, not rounded, in which k of n features can be read: `m rho(m / n) = k`. RangeError where k > n. */
export function fewestDimensions(n: number, k: number, signs: Signs): number {
  checkCounts({ n, k });
  if (k > n) throw new RangeError(`k: ${k} features cannot be active of ${n}`);
  return bisect((m) => m * weakThreshold(m / n, signs), k, n * LEAST_DELTA * 2, n);
}
