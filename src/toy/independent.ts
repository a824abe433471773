/**
 * Features that fire each on its own: the world of "Toy Models of Superposition" (Elhage et al. 2022), there with amplitudes
 * uniform in (0, 1]. It must not know where features point.
 */

import type { Amplitudes } from './amplitudes.ts';
import { type FiringLaw, firingLaw } from './firingLaw.ts';

/** Feature i fires with `probabilities[i]`, whatever the others do. Entropy: `sum_i h(p_i)`. */
export function independentFirings(options: {
  probabilities: ArrayLike<number>;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { probabilities, amplitudes } = options;
  const roots = Array.from(probabilities, (probability, feature) => ({ feature, probability }));
  return firingLaw({ features: roots.length, roots, amplitudes });
}
