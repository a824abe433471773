/** Intervals of what is costly to compute, from leaving out a part of the data at a time. It must not know what is computed. */
import { studentQuantile } from './student.ts';

/**
 * The interval of a statistic with `value` on all data and `without[i]` on all but the part i of m parts of like size:
 * `value +- t s`, `s^2 = (m - 1) / m sum_i (without_i - mean)^2`, t of m - 1 degrees of freedom. Tukey 1958; Shao and Wu,
 * Annals of Statistics 17, 1989. `low` and `high` are NaN of fewer than two parts.
 */
export function jackknifeInterval(
  value: number,
  without: ArrayLike<number>,
  level = 0.95,
): { value: number; low: number; high: number } {
  const m = without.length;
  if (m < 2) return { value, low: NaN, high: NaN };
  const values = Array.from(without);
  const mean = values.reduce((sum, one) => sum + one, 0) / m;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const half = studentQuantile((1 + level) / 2, m - 1) * Math.sqrt(((m - 1) / m) * squares);
  return { value, low: value - half, high: value + half };
}
