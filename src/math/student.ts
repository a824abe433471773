/** Student's t, for the mean of a few values. It must not know what they are of. */
import { mean } from './statistics.ts';

/**
 * Mean of `values` and its interval `mean +- t s / sqrt(n)`, with t the quantile of Student's distribution of n - 1 degrees
 * of freedom ("The probable error of a mean", Biometrika 6, 1908). `low` and `high` are NaN of fewer than two values.
 */
export function studentInterval(
  values: ArrayLike<number>,
  level = 0.95,
): { value: number; low: number; high: number } {
  const n = values.length;
  const value = mean(values);
  if (n < 2) return { value, low: NaN, high: NaN };
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i] - value) ** 2;
  const half = studentQuantile((1 + level) / 2, n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { value, low: value - half, high: value + half };
}

/** The t below which Student's distribution of `degrees` >= 1 has `probability` in (0, 1): by bisection, to 1e-12 of t. */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`a probability of a quantile is in (0, 1), not ${probability}`);
  if (!(Number.isInteger(degrees) && degrees >= 1))
    throw new RangeError(`degrees of freedom: expected a whole number >= 1, not ${degrees}`);
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees);
  let [below, above] = [0, 1];
  while (studentCumulative(above, degrees) < probability) above *= 2;
  while (above - below > 1e-12 * above) {
    const middle = (below + above) / 2;
    if (middle === below || middle === above) break;
    if (studentCumulative(middle, degrees) < probability) below = middle;
    else above = middle;
  }
  return (below + above) / 2;
}

/**
 * `P(T <= t)`, t >= 0, of a whole number of degrees, by its finite series in `theta = atan(t / sqrt(n))`: Abramowitz and
 * Stegun, "Handbook of mathematical functions", 26.7.3 and 26.7.4.
 */
function studentCumulative(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const odd = degrees % 2 === 1;
  let [term, sum] = [odd ? cosine : 1, 0];
  for (let j = odd ? 1 : 0; j < degrees - 1; j += 2) {
    sum += term;
    term *= ((j + 1) / (j + 2)) * cosine * cosine;
  }
  const inside = odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
  return (1 + inside) / 2;
}
