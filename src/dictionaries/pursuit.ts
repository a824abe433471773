/**
 * Matching pursuit (Mallat and Zhang 1993; as an encoder Costa et al. 2025, arXiv 2506.03093): from the residual
 * `r_0 = x`, again and again the latent whose unit decoder row has the largest inner product with it,
 * `a_t = <r_t, d_t>`, `r_(t+1) = r_t - a_t d_t`, until the residual is small, enough latents were taken, none has a
 * positive product, or the best one was taken before. Each round costs as much as an encoder.
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

/** Pursues `x [rows, width]` over the rows of `weight [latents, width]`, of unit norm. */
export async function pursue(
  backend: Backend,
  weight: Float32Array,
  { most, residual: least }: Omit<Pursuit, 'kind'>,
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
  while (rounds.length < most) {
    active = active.filter((r) => squareOf(residual, r, width) >= least * least);
    if (active.length === 0) break;
    const round = await takeBest(backend, { weight, bias, latents, width }, residual, active, taken);
    if (round.rows.length === 0) break;
    for (let i = 0; i < round.rows.length; i++) {
      const [r, j, value] = [round.rows[i] * width, round.latents[i] * width, round.values[i]];
      for (let c = 0; c < width; c++) residual[r + c] -= value * weight[j + c];
    }
    rounds.push(round);
    active = round.rows;
  }
  return { codes: compress(taken), rounds, residual };
}

async function takeBest(
  backend: Backend,
  {
    weight,
    bias,
    latents,
    width,
  }: { weight: Float32Array; bias: Float32Array; latents: number; width: number },
  residual: Float32Array,
  active: Uint32Array,
  taken: Map<number, number>[],
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
  const kept: number[] = [];
  for (let i = 0; i < active.length; i++) {
    const e = best.offsets[i];
    if (e === best.offsets[i + 1] || taken[active[i]].has(best.indices[e])) continue;
    taken[active[i]].set(best.indices[e], best.values[e]);
    kept.push(i);
  }
  return {
    rows: Uint32Array.from(kept, (i) => active[i]),
    latents: Uint32Array.from(kept, (i) => best.indices[best.offsets[i]]),
    values: Float32Array.from(kept, (i) => best.values[best.offsets[i]]),
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
