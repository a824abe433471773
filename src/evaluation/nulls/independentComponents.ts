/**
 * Independent components as a dictionary: the best complete basis for sparse sources, found without any overcompleteness.
 * FastICA with the symmetric fixed point: Hyvärinen, "Fast and robust fixed-point algorithms for independent component
 * analysis", IEEE Transactions on Neural Networks 10, 1999.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { orthonormalRows } from '../../math/orthonormal.ts';
import { Random } from '../../math/random.ts';
import { bothSigns, principalComponents } from './bases.ts';
import { withBestGain } from './gain.ts';

/** Real activations are no mixture of independent sources, and need not converge; what stands after so many rounds is taken. */
const MOST_ROUNDS = 100;
/** Largest `1 - |cos|` between a component and itself a round before. */
const TOLERANCE = 1e-4;
/** Variances below this share of the largest are rounding, and belong to no component. */
const LEAST_SHARE = 1e-7;
const MOST_ORTHOGONALISING = 60;

/**
 * With whitened `z = V^(-1/2) E (x - mean)`, each round takes `w+ = E[z g(w z)] - E[g'(w z)] w`, g = tanh, for all rows of W
 * at once, and then `W = (W W^T)^(-1/2) W`. Decoder rows are the mixing directions, scaled to unit norm, and latents scaled
 * to match, so that the k chosen are those that contribute most; one gain, best for `x [rows, width]`. `rounds` is how
 * many it took.
 */
export async function independentBasis(
  backend: Backend,
  mean: Float32Array,
  k: number,
  seed: number,
  x: Float32Array,
  rows: number,
): Promise<{ dictionary: Dictionary; rounds: number }> {
  const width = mean.length;
  const { components, variances, centered } = await principalComponents(backend, mean, x, rows);
  const kept = variances.filter((variance) => variance > LEAST_SHARE * variances[0]).length;
  const whitening = new Float32Array(kept * width);
  for (let i = 0; i < kept; i++) {
    for (let c = 0; c < width; c++)
      whitening[i * width + c] = components[i * width + c] / Math.sqrt(variances[i]);
  }
  const z = await product(backend, centered, whitening, rows, kept, width);
  const { unmixing, rounds } = await fixedPoint(backend, z, rows, kept, new Random(seed, 'fast ica'));
  // Rows of the encoder are W V^(-1/2) E, columns of its inverse the mixing E^T V^(1/2) W^T; W is orthogonal.
  const encoder = await transposed(backend, unmixing, whitening, kept, kept, width);
  const coloured = whitening.map((value, at) => value * variances[Math.floor(at / width)]);
  const decoder = await transposed(backend, unmixing, coloured, kept, kept, width);
  for (let i = 0; i < kept; i++) {
    let squares = 0;
    for (let c = i * width; c < (i + 1) * width; c++) squares += decoder[c] * decoder[c];
    const norm = Math.sqrt(squares);
    for (let c = i * width; c < (i + 1) * width; c++) {
      decoder[c] /= norm;
      encoder[c] *= norm;
    }
  }
  const dictionary = await withBestGain(backend, bothSigns(encoder, decoder, mean, k), x, rows);
  return { dictionary, rounds };
}

/** W `[n, n]`, orthogonal, of whitened `z [rows, n]`. */
async function fixedPoint(
  backend: Backend,
  z: Float32Array,
  rows: number,
  n: number,
  random: Random,
): Promise<{ unmixing: Float32Array; rounds: number }> {
  let unmixing: Float32Array = Float32Array.from(orthonormalRows(n, n, random));
  const squashed = new Float32Array(rows * n);
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    await backend.linear({
      x: z,
      rows,
      weight: backend.pack(unmixing, n, n),
      activation: 'tanh',
      out: squashed,
    });
    const slopes = new Float64Array(n);
    for (let r = 0; r < rows; r++)
      for (let i = 0, at = r * n; i < n; i++, at++) slopes[i] += (1 - squashed[at] * squashed[at]) / rows;
    const next = new Float32Array(n * n);
    await backend.transposedProduct({ a: squashed, b: z, rows, aWidth: n, bWidth: n, out: next });
    for (let at = 0; at < next.length; at++)
      next[at] = next[at] / rows - slopes[Math.floor(at / n)] * unmixing[at];
    const before = unmixing;
    unmixing = await orthogonalised(backend, next, n);
    if (furthestTurned(before, unmixing, n) < TOLERANCE) return { unmixing, rounds: round };
  }
  return { unmixing, rounds: MOST_ROUNDS };
}

function furthestTurned(before: Float32Array, after: Float32Array, n: number): number {
  let furthest = 0;
  for (let i = 0; i < n; i++) {
    let cosine = 0;
    for (let c = i * n; c < (i + 1) * n; c++) cosine += before[c] * after[c];
    furthest = Math.max(furthest, 1 - Math.abs(cosine));
  }
  return furthest;
}

/**
 * `(W W^T)^(-1/2) W`, by `W <- 1.5 W - .5 W W^T W` (Hyvärinen 1999, section V) from a W whose singular values are at most 1.
 */
async function orthogonalised(backend: Backend, weight: Float32Array, n: number): Promise<Float32Array> {
  const norm = Math.sqrt(await backend.sumOfSquares(weight));
  let w: Float32Array = weight.map((value) => value / norm);
  for (let i = 0; i < MOST_ORTHOGONALISING; i++) {
    const gram = await product(backend, w, w, n, n, n);
    let off = 0;
    for (let at = 0; at < gram.length; at++)
      off = Math.max(off, Math.abs(gram[at] - (at % (n + 1) === 0 ? 1 : 0)));
    if (off < 1e-5) break;
    const cubed = new Float32Array(n * n);
    await backend.transposedProduct({ a: gram, b: w, rows: n, aWidth: n, bWidth: n, out: cubed });
    w = w.map((value, at) => 1.5 * value - 0.5 * cubed[at]);
  }
  return w;
}

/** `a b^T`: `a [rows, inner]`, `b [columns, inner]`. */
async function product(
  backend: Backend,
  a: Float32Array,
  b: Float32Array,
  rows: number,
  columns: number,
  inner: number,
): Promise<Float32Array> {
  const out = new Float32Array(rows * columns);
  await backend.linear({ x: a, rows, weight: backend.pack(b, columns, inner), out });
  return out;
}

/** `a b`: `a [rows, inner]`, `b [inner, columns]`. */
async function transposed(
  backend: Backend,
  a: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  columns: number,
): Promise<Float32Array> {
  const aTransposed = new Float32Array(a.length);
  for (let r = 0; r < rows; r++) for (let i = 0; i < inner; i++) aTransposed[i * rows + r] = a[r * inner + i];
  const out = new Float32Array(rows * columns);
  await backend.transposedProduct({
    a: aTransposed,
    b,
    rows: inner,
    aWidth: rows,
    bWidth: columns,
    out,
  });
  return out;
}
