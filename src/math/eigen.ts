/** Eigenvalues and eigenvectors of a symmetric matrix. It must not know what the matrix is of. */

/** Rotations of the whole for one eigenvalue; two or three are usual. */
const MOST_ROUNDS = 60;

/**
 * `matrix [n, n] = sum_i values[i] v_i v_i^T` with `v_i = vectors[i, :]` of unit length, eigenvalues in no order. Reflections
 * make it tridiagonal, and the symmetric QR algorithm with Wilkinson's shifts makes that diagonal: Golub and Van Loan, "Matrix
 * Computations", 4th edition, sections 8.3.1 and 8.3.4. Eigenvalues are off by some rounding of the largest. O(n^3).
 * RangeError where a value is not finite or the matrix is not symmetric.
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  checkSymmetric(matrix, n);
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const { diagonal, beside, vectors } = tridiagonal(
    matrix.map((value) => value / scale),
    n,
  );
  diagonalise(diagonal, beside, vectors, n);
  return { values: diagonal.map((value) => value * scale), vectors };
}

function checkSymmetric(matrix: Float64Array, n: number): void {
  if (matrix.length !== n * n)
    throw new RangeError(`matrix: ${matrix.length} values were given for ${n} x ${n}`);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = matrix[i * n + j];
      if (!Number.isFinite(value) || value !== matrix[j * n + i])
        throw new RangeError(`matrix: at ${i}, ${j} it has ${value} and across ${matrix[j * n + i]}`);
    }
  }
}

interface Tridiagonal {
  /** `[n]` */
  readonly diagonal: Float64Array;
  /** Element i is at i, i + 1; the last is 0. `[n]` */
  readonly beside: Float64Array;
  /** `Q^T`, where `a = Q T Q^T`. `[n, n]` */
  readonly vectors: Float64Array;
}

/**
 * `T = Q^T a Q`, Q the product of reflections `H_k = I - 2 u_k u_k^T`, of which the k-th clears column k below the place beside the
 * diagonal: `H a H = a - 2 u w^T - 2 w u^T` with `p = a u` and `w = p - (u . p) u`. Overwrites `a`.
 */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const beside = new Float64Array(n);
  const reflections: Float64Array[] = [];
  for (let k = 0; k < n - 1; k++) {
    const u = new Float64Array(n);
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      u[i] = a[k * n + i];
      square += u[i] * u[i];
    }
    const length = Math.sqrt(square);
    reflections.push(u);
    if (length === 0) continue;
    beside[k] = u[k + 1] > 0 ? -length : length;
    // |u - beside e|^2 without cancellation, as both have opposite signs.
    const norm = Math.sqrt(2 * (square + length * Math.abs(u[k + 1])));
    u[k + 1] -= beside[k];
    for (let i = k + 1; i < n; i++) u[i] /= norm;
    const w = new Float64Array(n);
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j] * u[j];
      w[i] = sum;
      along += sum * u[i];
    }
    for (let i = k + 1; i < n; i++) w[i] -= along * u[i];
    for (let i = k + 1; i < n; i++)
      for (let j = k + 1; j < n; j++) a[i * n + j] -= 2 * (u[i] * w[j] + w[i] * u[j]);
  }
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  // Q^T = H_last ... H_0: from the last, a reflection touches only rows and columns after its own.
  for (let k = n - 2; k >= 0; k--) {
    const u = reflections[k];
    for (let r = k + 1; r < n; r++) {
      let along = 0;
      for (let j = k + 1; j < n; j++) along += vectors[r * n + j] * u[j];
      for (let j = k + 1; j < n; j++) vectors[r * n + j] -= 2 * along * u[j];
    }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), beside, vectors };
}

/** Turns neighbouring rows of `vectors` until nothing is left beside the diagonal. */
function diagonalise(diagonal: Float64Array, beside: Float64Array, vectors: Float64Array, n: number): void {
  for (let last = n - 1, rounds = 0; last > 0; ) {
    if (isNothing(beside[last - 1], diagonal[last - 1], diagonal[last]) || rounds === MOST_ROUNDS) {
      last--;
      rounds = 0;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !isNothing(beside[first - 1], diagonal[first - 1], diagonal[first])) first--;
    chase(diagonal, beside, vectors, n, first, last);
    rounds++;
  }
}

function isNothing(beside: number, a: number, b: number): boolean {
  const size = Math.abs(a) + Math.abs(b);
  return size + Math.abs(beside) === size;
}

/** One step of implicit QR on rows `first .. last`: the bulge that the first rotation makes is chased down and out. */
function chase(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  n: number,
  first: number,
  last: number,
): void {
  const half = (diagonal[last - 1] - diagonal[last]) / 2;
  const square = beside[last - 1] * beside[last - 1];
  const root = Math.sqrt(half * half + square);
  let x = diagonal[first] - (diagonal[last] - square / (half + (half < 0 ? -root : root)));
  let z = beside[first];
  for (let k = first; k < last && z !== 0; k++) {
    const length = Math.sqrt(x * x + z * z);
    const [cosine, sine] = [x / length, z / length];
    if (k > first) beside[k - 1] = length;
    const [a, b, c] = [diagonal[k], beside[k], diagonal[k + 1]];
    const [cc, cs, ss] = [cosine * cosine, cosine * sine, sine * sine];
    diagonal[k] = cc * a + 2 * cs * b + ss * c;
    diagonal[k + 1] = ss * a - 2 * cs * b + cc * c;
    beside[k] = (cc - ss) * b + cs * (c - a);
    x = beside[k];
    z = 0;
    if (k + 1 < last) {
      z = sine * beside[k + 1];
      beside[k + 1] *= cosine;
    }
    for (let i = k * n, j = i + n; i < (k + 1) * n; i++, j++) {
      const [p, q] = [vectors[i], vectors[j]];
      vectors[i] = cosine * p + sine * q;
      vectors[j] = cosine * q - sine * p;
    }
  }
}
