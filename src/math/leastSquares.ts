/**
 * Nonlinear least squares for a few parameters, by Levenberg and Marquardt (Marquardt 1963, "An algorithm for least-squares
 * estimation of nonlinear parameters"): Gauss-Newton steps, `(J^T J + m diag(J^T J)) step = -J^T r`, with m lowered where a
 * step helps and raised where it does not. It must not know what is fitted.
 */

export interface LeastSquares {
  readonly parameters: number[];
  /** `sum_i r_i^2` */
  readonly squares: number;
  /** Whether steps had become as small as rounding when it ended. */
  readonly converged: boolean;
}

/** Residuals of some parameters, always as many. */
export type Residuals = (parameters: readonly number[]) => ArrayLike<number>;

const MOST_DAMPING = 1e12;

/** The parameters near `start` with the least sum of squares. Parameters whose residuals are not finite are stepped back from. */
export function leastSquares(residuals: Residuals, start: readonly number[], iterations = 200): LeastSquares {
  let parameters = [...start];
  let now = residuals(parameters);
  let squares = sumOfSquares(now);
  let damping = 1e-3;
  for (let i = 0; i < iterations && Number.isFinite(squares); i++) {
    const jacobian = derivatives(residuals, parameters);
    let improved = false;
    while (!improved && damping < MOST_DAMPING) {
      const step = solve(...normalEquations(jacobian, now, damping));
      const next = step && parameters.map((value, p) => value - step[p]);
      const there = next && residuals(next);
      const less = there ? sumOfSquares(there) : Number.NaN;
      improved = less < squares;
      if (!improved) {
        damping *= 10;
        continue;
      }
      const gain = squares - less;
      [parameters, now, squares] = [next!, there!, less];
      damping = Math.max(1e-12, damping / 10);
      if (gain <= 1e-12 * squares) return { parameters, squares, converged: true };
    }
    if (!improved) return { parameters, squares, converged: true };
  }
  return { parameters, squares, converged: false };
}

/**
 * How far each observation draws its own fit, `h_i = J_i (J^T J)^-1 J_i^T`, between 0 and 1; 1 for all where the parameters
 * are not identified.
 */
export function leverages(residuals: Residuals, parameters: readonly number[]): number[] {
  const jacobian = derivatives(residuals, parameters);
  const n = residuals(parameters).length;
  return Array.from({ length: n }, (_, i) => {
    const row = jacobian.map((column) => column[i]);
    const [matrix] = normalEquations(jacobian, new Float64Array(n), 1e-12);
    const solved = solve(matrix, row);
    return solved
      ? Math.min(
          1,
          Math.max(
            0,
            row.reduce((sum, value, p) => sum + value * solved[p], 0),
          ),
        )
      : 1;
  });
}

function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

/** A column of derivatives for each parameter, by central differences. */
function derivatives(residuals: Residuals, parameters: readonly number[]): Float64Array[] {
  return parameters.map((value, p) => {
    const h = 1e-5 * Math.max(1, Math.abs(value));
    const at = (moved: number) => residuals(parameters.map((other, q) => (q === p ? moved : other)));
    const [above, below] = [at(value + h), at(value - h)];
    return Float64Array.from(above, (one, i) => (one - below[i]) / (2 * h));
  });
}

function normalEquations(
  jacobian: readonly Float64Array[],
  residuals: ArrayLike<number>,
  damping: number,
): [number[][], number[]] {
  const dot = (a: Float64Array, b: ArrayLike<number>) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const matrix = jacobian.map((a, p) => jacobian.map((b, q) => dot(a, b) * (p === q ? 1 + damping : 1)));
  return [matrix, jacobian.map((a) => dot(a, residuals))];
}

/** The solution of a positive definite system by Cholesky's factorisation; undefined where it is not one. */
function solve(matrix: number[][], right: readonly number[]): number[] | undefined {
  const n = right.length;
  const lower = matrix.map((row) => [...row]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      if (i !== j) lower[i][j] = sum / lower[j][j];
      else if (sum > 0) lower[i][i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const x = [...right];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k];
    x[i] /= lower[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= lower[k][i] * x[k];
    x[i] /= lower[i][i];
  }
  return x;
}
