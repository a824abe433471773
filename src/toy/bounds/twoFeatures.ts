/** Two features in one dimension: what storing both costs, and what dropping one does. It must not know how a model is trained. */

/**
 * `p/3 - p^2/4`, the least mean squared error of a feature that is not stored: its variance, of amplitudes uniform in (0, 1) and
 * probability p of firing.
 */
export function droppedLoss(p: number): number {
  return p / 3 - p ** 2 / 4;
}

/**
 * `q/6 = q E[min(u, v)^2]`, the mean squared error of either feature of an antipodal pair, W = (1, -1), b = 0: it errs only where
 * both fire, which they do with probability q, and then by the lesser amplitude.
 */
export function interferenceLoss(q: number): number {
  return q / 6;
}

/**
 * The probability of firing below which an antipodal pair has less loss than dropping the less important of two features
 * in one dimension, of which the second has r times the importance of the first, amplitudes uniform in (0, 1).
 *
 * Dropped, feature i costs `I_i droppedLoss(p)`; an antipodal pair costs `(1 + r) interferenceLoss(p^2)`. With the cheaper one
 * dropped they are equal at `p = 4 r / (2 + 5 r)` for r <= 1, and at `4 / (5 + 2 r)` above.
 */
export function antipodalBoundary(r: number): number {
  return r <= 1 ? (4 * r) / (2 + 5 * r) : 4 / (5 + 2 * r);
}

/** Points of each amplitude at which the loss is taken. */
const POINTS = 40;

/**
 * `E[(x_1 - y_1)^2 + r (x_2 - y_2)^2] / 2`, the expectation over what fires and, by the midpoint rule, over amplitudes: what
 * batches come to, without their noise.
 */
export function twoFeatureLoss(
  w: ArrayLike<number>,
  bias: ArrayLike<number>,
  { importance, probability: p }: { importance: number; probability: number },
): number {
  const at = (a: number, b: number) => {
    const h = a * w[0] + b * w[1];
    const [first, second] = [0, 1].map((i) => Math.max(0, h * w[i] + bias[i]));
    return ((a - first) ** 2 + importance * (b - second) ** 2) / 2;
  };
  const middles = Array.from({ length: POINTS }, (_, i) => (i + 0.5) / POINTS);
  const mean = (of: (u: number) => number) => middles.reduce((sum, u) => sum + of(u), 0) / POINTS;
  const one = mean((u) => at(u, 0) + at(0, u));
  const both = mean((u) => mean((v) => at(u, v)));
  return (1 - p) ** 2 * at(0, 0) + p * (1 - p) * one + p * p * both;
}
