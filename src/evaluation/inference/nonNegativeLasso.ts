/**
 * Sparse inference by l1: `min_{z >= 0} |x - z D|^2 / 2 + penalty sum z` for all rows at once, by FISTA (Beck and Teboulle,
 * "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM Journal on Imaging Sciences 2,
 * 2009), whose momentum each row drops where it leads astray (O'Donoghue and Candes, "Adaptive restart for accelerated
 * gradient schemes", 2015). It must not know whose dictionary it reads.
 */
import { transpose } from '../../dictionaries/interop/folding.ts';
import type { SparseRows } from '../../kernels/backend.ts';
import { nonNegativeLeastSquares } from '../../math/nonNegativeLeastSquares.ts';
import { Random } from '../../math/random.ts';
import { compressRows, type Inference } from './problem.ts';

const MOST_STEPS = 500;
/** It ends where no value moves by more than this share of the largest. */
const SETTLED = 1e-4;
/** Rows on which a penalty is sought, steps on the way, and halvings of the interval of its logarithm. */
const SEARCH = { rows: 256, steps: 100, halvings: 12 };
const POWER_ITERATIONS = 50;

/**
 * The solution, dense `[rows, latents]`. Two products of `[rows, latents]` with D a step; at most `steps` of them.
 * RangeError where the penalty is not >= 0.
 */
export async function nonNegativeLasso(
  inference: Inference,
  penalty: number,
  steps = MOST_STEPS,
): Promise<Float32Array> {
  if (!(penalty >= 0)) throw new RangeError(`penalty: expected a number >= 0, not ${penalty}`);
  const { backend, x, rows, width, directions } = inference;
  const latents = directions.length / width;
  const decoder = backend.pack(transpose(directions, latents, width), width, latents);
  const encoder = backend.pack(directions, latents, width);
  const step = 1 / (await largestEigenvalue(inference));
  const size = rows * latents;
  const z = new Float32Array(size);
  const y = new Float32Array(size);
  const [output, gradient] = [new Float32Array(rows * width), new Float32Array(size)];
  const momentum = new Float64Array(rows).fill(1);
  const squares = new Float32Array(rows);
  for (let s = 0; s < steps; s++) {
    await backend.linear({ x: y, rows, weight: decoder, out: output });
    await backend.residual({ a: output, b: x, rows, width, scale: 1, out: output, squares });
    await backend.linear({ x: output, rows, weight: encoder, out: gradient });
    let [largest, moved] = [0, 0];
    for (let r = 0; r < rows; r++) {
      const [from, end] = [r * latents, (r + 1) * latents];
      // z_new = (y - step (gradient + penalty))+, left in `gradient`.
      let astray = 0;
      for (let i = from; i < end; i++) {
        const next = Math.max(0, y[i] - step * (gradient[i] + penalty));
        const change = next - z[i];
        astray += (y[i] - next) * change;
        largest = Math.max(largest, next);
        moved = Math.max(moved, Math.abs(change));
        gradient[i] = next;
      }
      const t = astray > 0 ? 1 : momentum[r];
      momentum[r] = (1 + Math.sqrt(1 + 4 * t * t)) / 2;
      const weight = (t - 1) / momentum[r];
      for (let i = from; i < end; i++) {
        y[i] = gradient[i] + weight * (gradient[i] - z[i]);
        z[i] = gradient[i];
      }
    }
    if (moved <= SETTLED * largest) break;
  }
  return z;
}

/**
 * The lasso's latents at the penalty that makes about `l0` of them active in a row on average, with the values that are
 * best for these latents: it chooses, and does not shrink. Fewer where no penalty makes so many.
 */
export async function lassoAtL0(inference: Inference, l0: number): Promise<SparseRows> {
  const { rows, width, x, directions } = inference;
  const latents = directions.length / width;
  const penalty = await penaltyFor(inference, l0);
  const z = await nonNegativeLasso(inference, penalty);
  return compressRows(
    Array.from({ length: rows }, (_, r) =>
      refit(directions, x.subarray(r * width, (r + 1) * width), z.subarray(r * latents, (r + 1) * latents)),
    ),
  );
}

/** Bisects the logarithm of the penalty on the first rows: L0 falls as it rises. */
async function penaltyFor(inference: Inference, l0: number): Promise<number> {
  const { x, width, directions } = inference;
  const rows = Math.min(SEARCH.rows, inference.rows);
  const first = { ...inference, x: x.slice(0, rows * width), rows };
  let largest = 0;
  for (let r = 0; r < rows; r++)
    largest = Math.max(largest, Math.hypot(...x.subarray(r * width, (r + 1) * width)));
  if (largest === 0 || directions.length === 0) return 0;
  let [low, high] = [Math.log(1e-5 * largest), Math.log(largest)];
  for (let i = 0; i < SEARCH.halvings; i++) {
    const middle = (low + high) / 2;
    const z = await nonNegativeLasso(first, Math.exp(middle), SEARCH.steps);
    if (z.reduce((count, value) => count + (value > 0 ? 1 : 0), 0) > l0 * rows) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

/** Entries (latent, value) of the best sum >= 0 of the directions that have a value in `z [latents]`. */
function refit(directions: Float32Array, x: Float32Array, z: Float32Array): [number, number][] {
  const active = Array.from(z.keys()).filter((j) => z[j] > 0);
  const [k, width] = [active.length, x.length];
  const gram = new Float64Array(k * k);
  const right = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    for (let c = 0; c < width; c++) right[i] += directions[active[i] * width + c] * x[c];
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let c = 0; c < width; c++)
        product += directions[active[i] * width + c] * directions[active[j] * width + c];
      gram[i * k + j] = product;
      gram[j * k + i] = product;
    }
  }
  const start = active.map((latent) => z[latent]);
  const values = nonNegativeLeastSquares(gram, right, start);
  return active.map((latent, i): [number, number] => [latent, values[i]]).filter(([, value]) => value > 0);
}

/** Of `D D^T`, a little high: power iteration on `D^T D`, from a start that is always the same. */
async function largestEigenvalue({ backend, width, directions }: Inference): Promise<number> {
  const latents = directions.length / width;
  const product = new Float32Array(width * width);
  await backend.transposedProduct({
    a: directions,
    b: directions,
    rows: latents,
    aWidth: width,
    bWidth: width,
    out: product,
  });
  let vector = new Float64Array(width);
  new Random(0, 'power iteration').fillNormal(vector, 1);
  let length = 1;
  for (let i = 0; i < POWER_ITERATIONS; i++) {
    const next = new Float64Array(width);
    for (let r = 0; r < width; r++)
      for (let c = 0; c < width; c++) next[r] += product[r * width + c] * vector[c];
    length = Math.hypot(...next) / Math.hypot(...vector);
    const unit = 1 / Math.hypot(...next);
    vector = next.map((value) => unit * value);
  }
  // The iteration comes from below.
  return 1.05 * length;
}
