/**
 * The number of effective features: Bereska et al. 2025, "Superposition as lossy compression" (arXiv 2512.13568). It must
 * not know which dictionary the activations are of.
 *
 * It is the perplexity of activation mass and not a count: features that differ in how often or how strongly they are
 * active count for less than their number. It grows with the samples until rare features were met, with the width of the
 * dictionary, and as the sparsity penalty falls; `sweep.ts` shows all three.
 */
import { clusterBootstrap, type Interval } from '../../math/bootstrap.ts';
import { sumOverBlocks } from '../blocks.ts';

/** Added to each share, as in the authors' code. */
const SMALLEST_SHARE = 1e-10;

/**
 * `F = exp(-sum_i p_i ln p_i)`, `p_i = mass_i / sum mass`, for `masses [latents]`, sums or means of |activation| of each
 * latent. From 1 to their number; NaN where all are 0. RangeError where one is not >= 0.
 */
export function effectiveFeatures(masses: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < masses.length; i++) {
    if (!(masses[i] >= 0)) throw new RangeError(`masses: ${i} is ${masses[i]}; expected a number >= 0`);
    total += masses[i];
  }
  const whole = 1 + masses.length * SMALLEST_SHARE;
  let entropy = 0;
  for (let i = 0; i < masses.length; i++) {
    const p = (masses[i] / total + SMALLEST_SHARE) / whole;
    entropy -= p * Math.log(p);
  }
  return Math.exp(entropy);
}

/**
 * F with its interval over documents: `masses [groups, latents]`, sums of |activation| over each group of documents. The
 * interval is that of a bootstrap over groups, which leaves a third of them out of each resample; F is low where features
 * were not met, and so the interval is where they are rare.
 */
export function effectiveFeaturesOf(masses: Float64Array, draws: readonly Uint16Array[]): Interval {
  const statistic = (weights: Float64Array) => effectiveFeatures(sumOverBlocks(masses, weights));
  return clusterBootstrap({ clusters: draws[0].length, statistic, draws });
}

/** F of the first `groups` of documents, for 1, 2, 4, ... and all: whether it has settled. `masses` as above. */
export function effectiveFeaturesBySamples(
  masses: Float64Array,
  groups: number,
): { readonly groups: number; readonly value: number }[] {
  const latents = masses.length / groups;
  const sums = new Float64Array(latents);
  const curve: { groups: number; value: number }[] = [];
  for (let g = 0, next = 1; g < groups; g++) {
    for (let j = 0; j < latents; j++) sums[j] += masses[g * latents + j];
    if (g + 1 < next && g + 1 < groups) continue;
    curve.push({ groups: g + 1, value: effectiveFeatures(sums) });
    next *= 2;
  }
  return curve;
}
