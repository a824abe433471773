/** Logistic regression with a ridge. It must not know what is told apart. */
import { cholesky, solveFactored } from './cholesky.ts';

export interface Logistic {
  readonly intercept: number;
  readonly slopes: Float64Array;
}

const MOST_STEPS = 50;
const TOLERANCE = 1e-8;

/**
 * The coefficients that maximise `sum_i w_i [y_i log s(z_i) + (1 - y_i) log(1 - s(z_i))] - ridge / 2 |slopes|^2`,
 * `z_i = intercept + slopes . x_i`, `s(z) = 1 / (1 + exp(-z))`: by Newton's method with halved steps. `x [n, columns]`,
 * `y [n]` of 0 and 1, `weights [n]` > 0. RangeError where lengths do not fit or the ridge is not > 0.
 */
export function fitLogistic(problem: {
  x: Float64Array;
  columns: number;
  y: ArrayLike<number>;
  weights: ArrayLike<number>;
  ridge: number;
}): Logistic {
  const { x, columns, y, weights, ridge } = problem;
  const n = y.length;
  if (x.length !== n * columns || weights.length !== n)
    throw new RangeError(
      `${x.length} values and ${weights.length} weights were given for ${n} rows of ${columns}`,
    );
  if (!(ridge > 0)) throw new RangeError(`ridge: expected a number > 0, not ${ridge}`);
  const size = columns + 1;
  let coefficients = new Float64Array(size);
  let loss = lossOf(problem, coefficients);
  for (let step = 0; step < MOST_STEPS; step++) {
    const [gradient, hessian] = [new Float64Array(size), new Float64Array(size * size)];
    const row = new Float64Array(size).fill(1);
    for (let i = 0; i < n; i++) {
      row.set(x.subarray(i * columns, (i + 1) * columns));
      const p = sigmoid(dot(row, coefficients));
      const [off, curvature] = [weights[i] * (p - y[i]), weights[i] * p * (1 - p)];
      for (let a = 0; a < size; a++) {
        gradient[a] += off * row[a];
        for (let b = 0; b <= a; b++) hessian[a * size + b] += curvature * row[a] * row[b];
      }
    }
    for (let a = 0; a < size; a++) {
      // A trace of ridge on the intercept keeps the matrix definite where all weights of a class vanish.
      hessian[a * size + a] += a < columns ? ridge : 1e-9;
      if (a < columns) gradient[a] += ridge * coefficients[a];
      for (let b = 0; b < a; b++) hessian[b * size + a] = hessian[a * size + b];
    }
    const direction = solveFactored(cholesky(hessian, size), gradient);
    let scale = 1;
    let next = coefficients;
    let nextLoss = loss;
    for (; scale > 1e-6; scale /= 2) {
      next = coefficients.map((value, a) => value - scale * direction[a]);
      nextLoss = lossOf(problem, next);
      if (nextLoss <= loss) break;
    }
    const gain = loss - nextLoss;
    [coefficients, loss] = [next, nextLoss];
    if (gain < TOLERANCE * Math.abs(loss)) break;
  }
  return { intercept: coefficients[columns], slopes: coefficients.slice(0, columns) };
}

/** `1 / (1 + exp(-z))` */
export function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

function lossOf(
  { x, columns, y, weights, ridge }: Parameters<typeof fitLogistic>[0],
  coefficients: Float64Array,
): number {
  let loss = 0;
  for (let a = 0; a < columns; a++) loss += (ridge / 2) * coefficients[a] ** 2;
  for (let i = 0; i < y.length; i++) {
    let z = coefficients[columns];
    for (let a = 0; a < columns; a++) z += coefficients[a] * x[i * columns + a];
    // log(1 + exp(z)) - y z, without overflow.
    loss += weights[i] * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y[i] * z);
  }
  return loss;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
