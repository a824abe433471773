/**
 * Matching pursuit (Mallat and Zhang 1993; as an encoder Costa et al. 2025, arXiv 2506.03093): from the residual
 * `r_0 = x`, again and again the latent whose unit decoder row has the largest inner product with it,
 * `a_t = <r_t, d_t>`, `r_(t+1) = r_t - a_t d_t`. A latent taken twice has the sum of its products. A row ends where none
 * has a positive product, and as in SAELens after the round that leaves a small residual, that takes a latent again, or
 * that is the last allowed; so the first round is taken however small x is. Each round costs as much as an encoder.
 */
import type { Backend, SparseRows } from '../kernels/backend.ts';
import type { Pursuit } from './dictionary.ts';

/** One latent for each row that still took part in the round. */
export interface PursuitRound {
  /** Rows in the round, ascending. */
  readonly rows: Uint32Array;
  /** Latent of each of these rows, and its activation. */
  readonly latents: Uint32Array;
  readonly values: Float32Array;
}

export interface Pursued {
  /** Latents of all rounds by row. */
  readonly codes: SparseRows;
  readonly rounds: readonly PursuitRound[];
  /** What is left of each row, `[rows, width]`. */
  readonly residual: Float32Array;
}

/** Pursues `x [rows, width]` over the rows of `weight [latents, width]`, which are taken as they are. */
export async function pursue(
  backend: Backend,
  weight: Float32Array,
  { most, residual: least, mayRepeat = false }: Omit<Pursuit, 'kind'>,
  x: Float32Array,
  rows: number,
): Promise<Pursued> {
  const width = x.length / rows;
  const latents = weight.length / width;
  const bias = new Float32Array(latents);
  const residual = x.slice();
  const taken = Array.from({ length: rows }, () => new Map<number, number>());
  const rounds: PursuitRound[] = [];
  let active: Uint32Array = Uint32Array.from({ length: rows }, (_, r) => r);
  while (rounds.length < most && active.length > 0) {
    const round = await bestLatents(backend, { weight, bias, latents, width }, residual, active);
    if (round.rows.length === 0) break;
    rounds.push(round);
    active = round.rows.filter((row, i) => {
      const [latent, value] = [round.latents[i], round.values[i]];
      const before = taken[row].get(latent);
      taken[row].set(latent, (before ?? 0) + value);
      for (let c = 0; c < width; c++) residual[row * width + c] -= value * weight[latent * width + c];
      if (before !== undefined && !mayRepeat) return false;
      return squareOf(residual, row, width) >= least * least;
    });
  }
  return { codes: compress(taken), rounds, residual };
}

/** The latent of largest product with `residual` for each row of `active` that has a positive one; `weight [latents, width]`. */
export async function bestLatents(
  backend: Backend,
  {
    weight,
    bias,
    latents,
    width,
  }: { weight: Float32Array; bias: Float32Array; latents: number; width: number },
  residual: Float32Array,
  active: Uint32Array,
): Promise<PursuitRound> {
  const x = new Float32Array(active.length * width);
  active.forEach((r, i) => {
    x.set(residual.subarray(r * width, (r + 1) * width), i * width);
  });
  const best = await backend.encodeTopK({
    x,
    rows: active.length,
    width,
    weight,
    bias,
    columns: latents,
    k: 1,
  });
  // One entry a row at most, so the entries are in the order of the rows.
  return {
    rows: active.filter((_, i) => best.offsets[i] < best.offsets[i + 1]),
    latents: best.indices,
    values: best.values,
  };
}

function squareOf(m: Float32Array, row: number, width: number): number {
  let sum = 0;
  for (let i = row * width; i < (row + 1) * width; i++) sum += m[i] * m[i];
  return sum;
}

function compress(taken: readonly Map<number, number>[]): SparseRows {
  const offsets = new Uint32Array(taken.length + 1);
  const sorted = taken.map((row, r) => {
    offsets[r + 1] = offsets[r] + row.size;
    return [...row].sort(([a], [b]) => a - b);
  });
  return {
    rows: taken.length,
    offsets,
    indices: Uint32Array.from(sorted.flatMap((row) => row.map(([latent]) => latent))),
    values: Float32Array.from(sorted.flatMap((row) => row.map(([, value]) => value))),
  };
}
