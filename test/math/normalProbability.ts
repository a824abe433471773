/** The normal distribution by integration, slow and plain, for tests to compare with. */
import { normalDensity } from '../../src/math/normal.ts';

/** Simpson's rule with `intervals` (even) intervals. */
export function integrate(f: (x: number) => number, from: number, to: number, intervals: number): number {
  const step = (to - from) / intervals;
  let sum = f(from) + f(to);
  for (let i = 1; i < intervals; i++) sum += (i % 2 === 1 ? 4 : 2) * f(from + i * step);
  return (sum * step) / 3;
}

/** `P(normal <= x)` to about 1e-15, by the integral from 0. */
export function normalProbability(x: number): number {
  return 0.5 + integrate(normalDensity, 0, x, 4000);
}
