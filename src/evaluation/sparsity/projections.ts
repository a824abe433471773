/**
 * s_n: what of the activations projects on the latents of a dictionary beyond those that should fire. It must not know how
 * dictionaries were trained, nor which L0 is right.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { mean } from '../../math/statistics.ts';
import type { HeldOut } from './heldOut.ts';

/** The first rank is this many times the largest L0, but no more than this share of the latents; the last is half of them. */
const FIRST = 1.3;
const LATEST_FIRST = 0.4;
const LAST = 0.5;
const RANKS = 16;

/** Whether an L0 is low enough for s_n to be taken: its ranks must not be squeezed against half of the latents. */
export function hasRanks(l0: number, latents: number): boolean {
  return FIRST * l0 <= LATEST_FIRST * latents;
}

/**
 * The ranks n, in latents a sample, at which dictionaries of `latents` latents and the given L0s are compared: 16 of them,
 * at equal ratios, in [1.3 L0, latents / 2] of the largest L0 that `hasRanks`. All share them: s_n falls with n whatever
 * the dictionary, so ranks that followed each L0 would favour large ones. Empty where no L0 has any.
 */
export function commonRanks(l0s: readonly number[], latents: number): number[] {
  const [first, last] = [FIRST * Math.max(...l0s.filter((l0) => hasRanks(l0, latents))), LAST * latents];
  if (!Number.isFinite(first)) return [];
  return Array.from({ length: RANKS }, (_, i) => first * (last / first) ** (i / (RANKS - 1)));
}

/**
 * s_n, the value at rank `n rows` of all `(x - b_dec) . d_j` in descending order, over rows and unit decoder rows d_j, averaged
 * over the ranks `n`. Low where latents point at what fires and at nothing else. Chanin and Garriga-Alonso 2025 (arXiv
 * 2508.16560), their `s_n^dec`. In the units of x. NaN without ranks. Holds and sorts `[rows, latents]`.
 */
export async function projectionBeyond(
  backend: Backend,
  { decoderWeight, decoderBias }: Pick<Dictionary, 'decoderWeight' | 'decoderBias'>,
  { x, rows, width }: HeldOut,
  ranks: readonly number[],
): Promise<number> {
  const latents = decoderWeight.length / width;
  const unit = decoderWeight.slice();
  await backend.unitRows({ weight: unit, rows: latents, width });
  const centered = new Float32Array(x.length);
  await backend.center({ x, center: decoderBias, rows, width, scale: 1, out: centered });
  const projections = new Float32Array(rows * latents);
  await backend.linear({ x: centered, rows, weight: backend.pack(unit, latents, width), out: projections });
  projections.sort();
  const last = projections.length - 1;
  return mean(ranks.map((n) => projections[Math.max(0, last - Math.floor(n * rows))]));
}
