/** Sparse codes with each column replaced by a few others. It must not know what columns stand for. */
import type { SparseRows } from '../../kernels/backend.ts';

/** The columns that a column becomes, with their weights. */
export type Replacement = readonly (readonly [column: number, weight: number])[];

/** `codes [rows, any] replacements`, `[rows, columns]`: entries of equal columns are summed. */
export function replaceColumns(
  codes: SparseRows,
  replacements: readonly Replacement[],
  columns: number,
): SparseRows {
  const { rows, offsets, indices, values } = codes;
  let most = 0;
  for (const index of indices) most += replacements[index].length;
  const out = {
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(most),
    values: new Float32Array(most),
  };
  const sums = new Float64Array(columns);
  const seen = new Uint8Array(columns);
  let end = 0;
  for (let row = 0; row < rows; row++) {
    const start = end;
    for (let e = offsets[row]; e < offsets[row + 1]; e++)
      for (const [column, weight] of replacements[indices[e]]) {
        if (!seen[column]) {
          seen[column] = 1;
          out.indices[end++] = column;
        }
        sums[column] += weight * values[e];
      }
    out.indices.subarray(start, end).sort();
    for (let at = start; at < end; at++) {
      const column = out.indices[at];
      out.values[at] = sums[column];
      sums[column] = 0;
      seen[column] = 0;
    }
    out.offsets[row + 1] = end;
  }
  return { rows, offsets: out.offsets, indices: out.indices.slice(0, end), values: out.values.slice(0, end) };
}

/** The entries for which `keeps(value, column)` holds. */
export function keepEntries(
  codes: SparseRows,
  keeps: (value: number, column: number) => boolean,
): SparseRows {
  const { rows } = codes;
  const offsets = new Uint32Array(rows + 1);
  const [indices, values] = [codes.indices.slice(), codes.values.slice()];
  let end = 0;
  for (let row = 0; row < rows; row++) {
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      if (!keeps(codes.values[e], codes.indices[e])) continue;
      indices[end] = codes.indices[e];
      values[end++] = codes.values[e];
    }
    offsets[row + 1] = end;
  }
  return { rows, offsets, indices: indices.slice(0, end), values: values.slice(0, end) };
}
