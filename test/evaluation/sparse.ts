/** Sparse matrices by hand. */
import type { SparseRows } from '../../src/kernels/backend.ts';

/** From the entries of each row, as columns (of value 1) or (column, value). */
export function sparse(rows: (number | [column: number, value: number])[][]): SparseRows {
  const entries = rows.map((row) =>
    row.map((entry): [number, number] => (typeof entry === 'number' ? [entry, 1] : entry)),
  );
  const offsets = [0];
  for (const row of entries) offsets.push(offsets[offsets.length - 1] + row.length);
  return {
    rows: rows.length,
    offsets: Uint32Array.from(offsets),
    indices: Uint32Array.from(entries.flat(), ([column]) => column),
    values: Float32Array.from(entries.flat(), ([, value]) => value),
  };
}

/** Once each block. */
export const once = (blocks: number) => new Float64Array(blocks).fill(1);
