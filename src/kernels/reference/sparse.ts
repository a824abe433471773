/**
 * Encode-and-select and the sparse products of the reference backend. The pre-activations are computed in full
 * and sorted: slow, exact, and the oracle for the fused kernels in `native/`.
 */
import type { Backend, ColumnOrder, EncodeOperands, SparseRows } from '../backend.ts';
import { dot } from './dense.ts';

type Sparse = Pick<
  Backend,
  | 'encodeTopK'
  | 'encodeBatchTopK'
  | 'encodeThreshold'
  | 'decode'
  | 'entryDots'
  | 'sortByColumn'
  | 'addColumnSums'
>;

interface Entry {
  row: number;
  column: number;
  value: number;
}

export const sparse: Sparse = {
  async encodeTopK({ k, ...operands }) {
    const kept: Entry[] = [];
    for (let r = 0; r < operands.rows; r++) {
      kept.push(...positives(operands, r).sort(strongestFirst).slice(0, k));
    }
    return compress(kept, operands.rows);
  },

  async encodeBatchTopK({ total, ...operands }) {
    const all: Entry[] = [];
    for (let r = 0; r < operands.rows; r++) all.push(...positives(operands, r));
    return compress(all.sort(strongestFirst).slice(0, total), operands.rows);
  },

  async encodeThreshold({ threshold, ...operands }) {
    const kept: Entry[] = [];
    for (let r = 0; r < operands.rows; r++) {
      kept.push(...positives(operands, r).filter((entry) => entry.value > threshold[entry.column]));
    }
    return compress(kept, operands.rows);
  },

  async decode({ codes, weight, bias, width, out }) {
    const sums = new Float64Array(width);
    for (let r = 0; r < codes.rows; r++) {
      for (let i = 0; i < width; i++) sums[i] = bias ? bias[i] : 0;
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        const row = codes.indices[e] * width;
        for (let i = 0; i < width; i++) sums[i] += codes.values[e] * weight[row + i];
      }
      out.set(sums, r * width);
    }
  },

  async entryDots({ codes, m, weight, width, out }) {
    for (let r = 0; r < codes.rows; r++) {
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        out[e] = dot(m, r * width, weight, codes.indices[e] * width, width);
      }
    }
  },

  async sortByColumn(codes: SparseRows, columns: number): Promise<ColumnOrder> {
    const entries = Uint32Array.from(codes.indices.keys());
    entries.sort((a, b) => codes.indices[a] - codes.indices[b] || a - b);
    const rowOf = new Uint32Array(entries.length);
    for (let r = 0; r < codes.rows; r++) rowOf.fill(r, codes.offsets[r], codes.offsets[r + 1]);
    const offsets = new Uint32Array(columns + 1);
    for (const column of codes.indices) offsets[column + 1]++;
    for (let c = 0; c < columns; c++) offsets[c + 1] += offsets[c];
    return { columns, offsets, rows: entries.map((e) => rowOf[e]), entries };
  },

  async addColumnSums({ order, coefficients, m, width, out, sums }) {
    for (let c = 0; c < order.columns; c++) {
      const column = Float64Array.from(out.subarray(c * width, (c + 1) * width));
      let sum = sums ? sums[c] : 0;
      for (let at = order.offsets[c]; at < order.offsets[c + 1]; at++) {
        const coefficient = coefficients[order.entries[at]];
        sum += coefficient;
        for (let i = 0; i < width; i++) column[i] += coefficient * m[order.rows[at] * width + i];
      }
      out.set(column, c * width);
      if (sums) sums[c] = sum;
    }
  },
};

/** The entries of one row whose pre-activation, rounded to float32, is > 0. */
function positives(operands: Omit<EncodeOperands, 'rows'>, row: number): Entry[] {
  const { x, width, weight, bias, columns, subset } = operands;
  const entries: Entry[] = [];
  for (let i = 0; i < (subset ? subset.length : columns); i++) {
    const column = subset ? subset[i] : i;
    const value = Math.fround(dot(x, row * width, weight, column * width, width) + bias[column]);
    if (value > 0) entries.push({ row, column, value });
  }
  return entries;
}

function strongestFirst(a: Entry, b: Entry): number {
  return b.value - a.value || a.row - b.row || a.column - b.column;
}

function compress(entries: Entry[], rows: number): SparseRows {
  entries.sort((a, b) => a.row - b.row || a.column - b.column);
  const offsets = new Uint32Array(rows + 1);
  for (const { row } of entries) offsets[row + 1]++;
  for (let r = 0; r < rows; r++) offsets[r + 1] += offsets[r];
  return {
    rows,
    offsets,
    indices: Uint32Array.from(entries, (entry) => entry.column),
    values: Float32Array.from(entries, (entry) => entry.value),
  };
}
