/**
 * Features of several dimensions: where one fires, it also stands somewhere on a closed curve. Circles as of days and
 * months, Engels et al., "Not all language model features are one-dimensionally linear", arXiv 2405.14860; curves in more
 * dimensions, Michaud et al., "Understanding sparse autoencoder scaling in the presence of feature manifolds", arXiv
 * 2509.02565. It must not know where in the whole space they lie.
 */

import { ANYWHERE } from '../kernels/firingOperations.ts';
import type { Random } from '../math/random.ts';
import type { Amplitudes } from './amplitudes.ts';
import { type FiringLaw, firingLaw } from './firingLaw.ts';

/**
 * `curve_c(t) = sum_h cosines[c, h] cos(2 pi h t) + sines[c, h] sin(2 pi h t)`, h = 1 .. harmonics, t in turns. Arrays
 * `[dimensions, harmonics]`.
 */
export interface Curve {
  readonly dimensions: number;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** `(cos 2 pi t, sin 2 pi t)` */
export const CIRCLE: Curve = {
  dimensions: 2,
  cosines: Float64Array.of(1, 0),
  sines: Float64Array.of(0, 1),
};

/**
 * A random closed curve: coefficients are normals over h^2, so that it bends gently, scaled so that the mean of
 * `|curve(t)|^2` over t is 1. Its middle is at 0.
 */
export function randomCurve(dimensions: number, harmonics: number, random: Random): Curve {
  const draw = () =>
    Float64Array.from(
      { length: dimensions * harmonics },
      (_, i) => random.normal() / ((i % harmonics) + 1) ** 2,
    );
  const [cosines, sines] = [draw(), draw()];
  const square = [...cosines, ...sines].reduce((sum, a) => sum + (a * a) / 2, 0);
  const scale = 1 / Math.sqrt(square);
  return { dimensions, cosines: cosines.map((a) => scale * a), sines: sines.map((a) => scale * a) };
}

/** `curve(t)`, `[dimensions]`. */
export function pointOn({ dimensions, cosines, sines }: Curve, t: number): Float64Array {
  const harmonics = cosines.length / dimensions;
  const point = new Float64Array(dimensions);
  for (let h = 0; h < harmonics; h++) {
    const angle = 2 * Math.PI * (h + 1) * t;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    for (let c = 0; c < dimensions; c++)
      point[c] += cosines[c * harmonics + h] * cos + sines[c * harmonics + h] * sin;
  }
  return point;
}

/**
 * Feature i fires with `probabilities[i]`, each on its own, and stands evenly on one of `points[i]` equally spaced points of
 * its curve, on all of it where that is `'all'`, or on no curve where 0. Entropy, of which fire: `sum_i h(p_i)`; the curves
 * themselves are given to `additiveDistribution`. RangeError where the numbers do not fit.
 */
export function curveFirings(options: {
  probabilities: readonly number[];
  points: readonly (number | 'all')[];
  amplitudes: Amplitudes;
}): FiringLaw {
  const { probabilities, points, amplitudes } = options;
  if (points.length !== probabilities.length)
    throw new RangeError(`points: ${points.length} were given for ${probabilities.length} features`);
  const positions = Uint32Array.from(points, (n, i) => {
    if (n === 'all') return ANYWHERE;
    if (!Number.isInteger(n) || n < 0 || n >= ANYWHERE) throw new RangeError(`points of feature ${i}: ${n}`);
    return n;
  });
  const roots = probabilities.map((probability, feature) => ({ feature, probability }));
  return firingLaw({ features: roots.length, roots, amplitudes, positions });
}
