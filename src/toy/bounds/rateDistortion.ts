/**
 * How many bits a sparse sample takes, and how many m noisy dimensions carry: a bound on superposition that no code beats,
 * whatever its encoder. Bits are base 2, for one sample. It must not know how anything is encoded.
 */

import { bisect } from '../../math/bisect.ts';
import { binaryEntropy } from '../../math/entropy.ts';

/** `log2 C(n, k)`: which k of n features are active, each choice as likely. RangeError where 0 <= k <= n does not hold. */
export function supportBits(n: number, k: number): number {
  if (!(Number.isSafeInteger(n) && Number.isSafeInteger(k) && k >= 0 && k <= n))
    throw new RangeError(`k of n: expected whole numbers with 0 <= k <= n, not ${k} of ${n}`);
  let bits = 0;
  for (let i = 1; i <= Math.min(k, n - k); i++) bits += Math.log2((n - Math.min(k, n - k) + i) / i);
  return bits;
}

/** `sum_i H(p_i)`: which features are active, each on its own with its probability. */
export function firingBits(probabilities: ArrayLike<number>): number {
  let bits = 0;
  for (let i = 0; i < probabilities.length; i++) bits += binaryEntropy(probabilities[i]);
  return bits;
}

/**
 * `max(0, log2(variance / distortion) / 2)`: one amplitude to a mean squared error of `distortion`. Exact for normal
 * amplitudes, enough for any others of that variance (Cover and Thomas, "Elements of Information Theory", theorem 10.3.2
 * and problem 10.8). RangeError where the variance is not >= 0 or the distortion not > 0.
 */
export function amplitudeBits(variance: number, distortion: number): number {
  if (!(variance >= 0 && distortion > 0))
    throw new RangeError(`expected a variance >= 0 and a distortion > 0, not ${variance} and ${distortion}`);
  return variance > distortion ? Math.log2(variance / distortion) / 2 : 0;
}

/**
 * The bits of a sample of features that fire on their own: supports, and the amplitude of each that fires to a mean squared
 * error of `distortion`: `sum_i H(p_i) + p_i max(0, log2(variance_i / distortion) / 2)`; variances are those of the
 * amplitude of a feature that fires. Both `[features]`; RangeError where they are not as many.
 */
export function sparseBits(
  probabilities: ArrayLike<number>,
  variances: ArrayLike<number>,
  distortion: number,
): number {
  if (variances.length !== probabilities.length)
    throw new RangeError(
      `${variances.length} variances were given for ${probabilities.length} probabilities`,
    );
  let bits = firingBits(probabilities);
  for (let i = 0; i < probabilities.length; i++)
    bits += probabilities[i] * amplitudeBits(variances[i], distortion);
  return bits;
}

/**
 * `m log2(1 + snr) / 2`: what m dimensions carry with Gaussian noise, `snr` the ratio of signal to noise variance in each
 * (Shannon, "Communication in the presence of noise", 1949). RangeError where one is not >= 0.
 */
export function capacityBits(m: number, snr: number): number {
  if (!(m >= 0 && snr >= 0)) throw new RangeError(`expected m and snr >= 0, not ${m} and ${snr}`);
  return (m * Math.log2(1 + snr)) / 2;
}

/** The fewest dimensions, not rounded, that carry so many bits: `bits / (log2(1 + snr) / 2)`. */
export function dimensionsForBits(bits: number, snr: number): number {
  return bits === 0 ? 0 : bits / capacityBits(1, snr);
}

/**
 * The other end: the share of variance that the best linear code of m dimensions leaves, the sum of all but the m largest
 * of `variances` over the sum of all. They are the eigenvalues of the covariance: those of PCA, or of features that fire
 * on their own `E a^2 - (E a)^2`. Eckart and Young, "The approximation of one matrix by another of lower rank", 1936.
 */
export function linearCodeError(variances: ArrayLike<number>, m: number): number {
  const sorted = Float64Array.from(variances).sort().reverse();
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return sum(sorted.subarray(Math.max(0, Math.ceil(m)))) / sum(sorted);
}

/**
 * The bits of a Gaussian sample with these eigenvalues of its covariance to a mean squared error of `distortion` in all:
 * `sum_i max(0, log2(v_i / level) / 2)` with `sum_i min(v_i, level) = distortion` (reverse water-filling, Cover and Thomas,
 * theorem 10.3.3). What a code that knows nothing of sparsity needs. RangeError where the distortion is not > 0.
 */
export function gaussianBits(variances: ArrayLike<number>, distortion: number): number {
  if (!(distortion > 0)) throw new RangeError(`expected a distortion > 0, not ${distortion}`);
  const values = Array.from(variances);
  const filled = (level: number) => values.reduce((sum, value) => sum + Math.min(value, level), 0);
  const level = bisect(filled, distortion, 0, Math.max(0, ...values));
  return values.reduce((bits, value) => bits + amplitudeBits(value, level), 0);
}
