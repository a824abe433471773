/** Codes turned about: for each latent, or true feature, the rows on which it fires. It must not know which of them it is. */
import type { SparseRows } from '../kernels/backend.ts';

export interface RowsByColumn {
  /** The rows of column j, ascending, stand at `offsets[j] .. offsets[j + 1]`. `[columns + 1]` */
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
}

/** Of entries that are not 0. */
export function rowsByColumn(codes: SparseRows, columns: number): RowsByColumn {
  const offsets = new Uint32Array(columns + 1);
  for (let e = 0; e < codes.indices.length; e++) if (codes.values[e] !== 0) offsets[codes.indices[e] + 1]++;
  for (let j = 0; j < columns; j++) offsets[j + 1] += offsets[j];
  const next = offsets.slice();
  const rows = new Uint32Array(offsets[columns]);
  for (let row = 0; row < codes.rows; row++)
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++)
      if (codes.values[e] !== 0) rows[next[codes.indices[e]]++] = row;
  return { offsets, rows };
}
