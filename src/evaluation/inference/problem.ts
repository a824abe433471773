/** What inference is given and what it gives: rows to be written as sums of few directions. It must not know how that is done. */
import type { Backend, SparseRows } from '../../kernels/backend.ts';

/** Rows to be written as sums of directions. */
export interface Inference {
  readonly backend: Backend;
  /** `[rows, width]` */
  readonly x: Float32Array;
  readonly rows: number;
  readonly width: number;
  /** Unit rows, `[latents, width]`. */
  readonly directions: Float32Array;
}

/** Codes from the entries of each row as (latent, value), latents ascending. */
export function compressRows(entries: readonly (readonly (readonly [number, number])[])[]): SparseRows {
  const offsets = new Uint32Array(entries.length + 1);
  entries.forEach((row, r) => {
    offsets[r + 1] = offsets[r] + row.length;
  });
  const flat = entries.flat();
  return {
    rows: entries.length,
    offsets,
    indices: Uint32Array.from(flat, ([latent]) => latent),
    values: Float32Array.from(flat, ([, value]) => value),
  };
}
