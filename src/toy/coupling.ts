/**
 * Roots whose firings are correlated by a Gaussian copula of low rank: how each stands to the normals that all share, how
 * it is to be drawn, and how much of its entropy is left when these are known. It must not know what the roots are.
 */

import { binaryEntropy } from '../math/entropy.ts';
import { normalProbability, normalQuantile } from '../math/normal.ts';

/** Root i has the normal `loadings[i] . u + residual e_i`, `residual = sqrt(1 - |loadings[i]|^2)`. */
export interface Coupling {
  readonly rank: number;
  /** `[roots, rank]`, rows no longer than 1. */
  readonly loadings: Float64Array;
}

/** What is left of 1 is taken for 0 below this: rounding. */
const NOTHING = 1e-9;
/** Bounds hold where `loadings . u` is at most so many of its standard deviations: rarely enough, and not too loose. */
const DEVIATIONS = 2.5;

/** How a root of probability p stands: it fires where its normal exceeds `threshold`. RangeError where a row is too long. */
export function coupledRoot(coupling: Coupling, root: number, probability: number) {
  const { rank, loadings } = coupling;
  const square = loadings.subarray(root * rank, (root + 1) * rank).reduce((sum, l) => sum + l * l, 0);
  if (!(square <= 1 + NOTHING))
    throw new RangeError(`loadings: row ${root} has squared length ${square}, more than 1`);
  const residual = square > 1 - NOTHING ? 0 : Math.sqrt(1 - square);
  const threshold = -normalQuantile(probability);
  const usual = (DEVIATIONS * Math.sqrt(square) - threshold) / residual;
  return { threshold, residual, bound: residual === 0 ? 1 : normalProbability(usual) };
}

/**
 * `E h(p(u))`, h the binary entropy in bits, `p(u) = Phi((m - threshold) / residual)` with m normal of variance
 * `1 - residual^2`: what the firing of a root still tells where u is known. By Simpson's rule, to about 1e-9. Summed over
 * roots it bounds their joint entropy from below, which the sum of `h(p)` bounds from above.
 */
export function entropyGivenShared(probability: number, residual: number): number {
  if (residual === 0) return 0;
  const deviation = Math.sqrt(1 - residual * residual);
  if (deviation < 1e-6) return binaryEntropy(probability);
  const threshold = -normalQuantile(probability);
  // Over what varies faster: the probability, or the density of m.
  const [centre, unit] = residual < deviation ? [threshold, residual] : [0, deviation];
  const integrand = (y: number) => {
    const m = centre + unit * y;
    const density =
      Math.exp((-0.5 * m * m) / (1 - residual * residual)) / (deviation * Math.sqrt(2 * Math.PI));
    return unit * density * binaryEntropy(normalProbability((m - threshold) / residual));
  };
  const [reach, intervals] = [10, 200];
  const step = (2 * reach) / intervals;
  let sum = 0;
  for (let i = 0; i <= intervals; i++) {
    const weight = i === 0 || i === intervals ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * integrand(i * step - reach);
  }
  return (sum * step) / 3;
}
