/**
 * Orthogonal matching pursuit with codes >= 0: an oracle that reads any dictionary better than one matrix product can, at a
 * number of active latents that is given for each row. It must not know whose dictionary it reads.
 *
 * Pati, Rezaiifar and Krishnaprasad, "Orthogonal matching pursuit", 1993; non-negative: Bruckstein, Elad and Zibulevsky, "On
 * the uniqueness of nonnegative sparse solutions", IEEE Transactions on Information Theory 54, 2008. Each round takes the
 * latent whose unit row has the largest inner product with what is left, then fits all that were taken anew, those that
 * would be negative leaving: the steps of Lawson and Hanson's least squares, ended early.
 */
import { bestLatents } from '../../dictionaries/pursuit.ts';
import type { SparseRows } from '../../kernels/backend.ts';
import { settle } from '../../math/nonNegativeLeastSquares.ts';
import { compressRows, type Inference } from './problem.ts';

/** A row is explained where the norm of what is left is below this share of its own; float32 sees no further. */
const EXPLAINED = 1e-5;

/** Codes `[rows, latents]` of at most `most[row]` active latents in each row, whose values are best for those latents. */
export async function orthogonalPursuit(
  { backend, x, rows, width, directions }: Inference,
  most: ArrayLike<number>,
): Promise<SparseRows> {
  const latents = directions.length / width;
  const bias = new Float32Array(latents);
  const residual = x.slice();
  const fits = Array.from({ length: rows }, (_, row) => new RowFit(most[row]));
  const enough = Float64Array.from({ length: rows }, (_, row) => EXPLAINED * norm(x, row, width));
  let active = Uint32Array.from({ length: rows }, (_, row) => row).filter(
    (row) => most[row] > 0 && enough[row] > 0,
  );
  // Latents that leave take rounds too; where they keep coming and going, rounding is all that is left to win.
  for (let round = 0; active.length > 0 && round < 2 * latents; round++) {
    const best = await bestLatents(backend, { weight: directions, bias, latents, width }, residual, active);
    active = best.rows.filter((row, i) => {
      const fit = fits[row];
      const at = row * width;
      const progress = fit.take(best.latents[i], directions, x.subarray(at, at + width));
      fit.subtract(directions, x.subarray(at, at + width), residual.subarray(at, at + width));
      return progress && fit.size < most[row] && norm(residual, row, width) > enough[row];
    });
  }
  return compressRows(fits.map((fit) => fit.entries()));
}

/** The latents that were taken for one row, and their inner products. */
class RowFit {
  readonly #capacity: number;
  readonly #latents: number[] = [];
  #gram: Float64Array;
  #right: Float64Array;
  #z: Float64Array;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#gram = new Float64Array(capacity * capacity);
    this.#right = new Float64Array(capacity);
    this.#z = new Float64Array(capacity);
  }

  get size(): number {
    return this.#latents.length;
  }

  /** Takes a latent and fits all anew. False where it was taken before or could not stay: there is nothing more to win. */
  take(latent: number, directions: Float32Array, x: Float32Array): boolean {
    const [k, size, width] = [this.#capacity, this.#latents.length, x.length];
    if (this.#latents.includes(latent)) return false;
    this.#latents.push(latent);
    this.#right[size] = dot(directions, latent * width, x, 0, width);
    for (let i = 0; i <= size; i++) {
      const product = dot(directions, latent * width, directions, this.#latents[i] * width, width);
      this.#gram[size * k + i] = product;
      this.#gram[i * k + size] = product;
    }
    const positive = this.#latents.map((_, i) => i);
    settle(this.#gram, this.#right, this.#z, positive);
    if (positive.length <= size) this.#keep(positive);
    return this.#latents.includes(latent);
  }

  /** Writes `x` less what the latents make of it to `out`. */
  subtract(directions: Float32Array, x: Float32Array, out: Float32Array): void {
    const sum = Float64Array.from(x);
    this.#latents.forEach((latent, i) => {
      for (let c = 0, at = latent * x.length; c < x.length; c++, at++) sum[c] -= this.#z[i] * directions[at];
    });
    out.set(sum);
  }

  /** Latents and values, by ascending latent. */
  entries(): [number, number][] {
    return this.#latents.map((latent, i): [number, number] => [latent, this.#z[i]]).sort(([a], [b]) => a - b);
  }

  /** Forgets all but the places in `kept`, ascending. */
  #keep(kept: readonly number[]): void {
    const k = this.#capacity;
    const [gram, right, z] = [this.#gram, this.#right, this.#z].map(
      (array) => new Float64Array(array.length),
    );
    kept.forEach((i, to) => {
      right[to] = this.#right[i];
      z[to] = this.#z[i];
      kept.forEach((j, other) => {
        gram[to * k + other] = this.#gram[i * k + j];
      });
    });
    const latents = kept.map((i) => this.#latents[i]);
    this.#latents.splice(0, this.#latents.length, ...latents);
    [this.#gram, this.#right, this.#z] = [gram, right, z];
  }
}

function norm(m: Float32Array, row: number, width: number): number {
  return Math.sqrt(dot(m, row * width, m, row * width, width));
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, n: number): number {
  let sum = 0;
  for (let t = 0; t < n; t++) sum += a[i + t] * b[j + t];
  return sum;
}
