/** Two normals that are correlated. It must not know what they are of. */
import { normalProbability } from './normal.ts';

/** Gauss and Legendre's rule of five points on [-1, 1]. */
const NODES = [-0.906179845938664, -0.5384693101056831, 0, 0.5384693101056831, 0.906179845938664];
const WEIGHTS = [
  0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891,
];
const INTERVALS = 20;

/**
 * `P(X > x and Y > y)` of standard normals with a correlation in [-1, 1], to about 1e-12 up to .99 and 1e-6 beyond: from
 * independence, `Phi(-x) Phi(-y)`, along the correlation, `+ 1 / (2 pi) integral_0^asin(r) exp(-(x^2 + y^2 - 2 x y sin t) /
 * (2 cos^2 t)) dt` (Plackett, "A reduction formula for normal multivariate integrals", Biometrika 41, 1954; in this form Drezner and
 * Wesolowsky, Journal of Statistical Computation and Simulation 35, 1990). RangeError where the correlation is none.
 */
export function bothExceed(x: number, y: number, correlation: number): number {
  if (!(Math.abs(correlation) <= 1)) throw new RangeError(`${correlation} is not a correlation`);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return normalProbability(-x) * normalProbability(-y);
  const half = Math.asin(correlation) / INTERVALS / 2;
  let sum = 0;
  for (let interval = 0; interval < INTERVALS; interval++) {
    for (let k = 0; k < NODES.length; k++) {
      const sine = Math.sin(half * (2 * interval + 1 + NODES[k]));
      sum += WEIGHTS[k] * Math.exp((x * y * sine - (x * x + y * y) / 2) / (1 - sine * sine));
    }
  }
  return Math.max(0, normalProbability(-x) * normalProbability(-y) + (half * sum) / (2 * Math.PI));
}
