/**
 * Encode-and-select and decode of the reference backend. The pre-activations are computed in full
 * and sorted: slow, exact, and the oracle for the fused kernels in `native/`.
 */
import type { Backend, EncodeOperands, SparseRows } from '../backend.ts';
import { dot } from './dense.ts';

type Sparse = Pick<
  Backend,
  'encodeTopK' | 'encodeBatchTopK' | 'encodeAbsTopK' | 'encodeGroupMax' | 'encodeThreshold' | 'decode'
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

  async encodeAbsTopK({ k, ...operands }) {
    const kept: Entry[] = [];
    const size = ({ value }: Entry) => Math.abs(value);
    for (let r = 0; r < operands.rows; r++) {
      const some = preActivations(operands, r).filter(({ value }) => value !== 0);
      kept.push(...some.sort((a, b) => size(b) - size(a) || a.column - b.column).slice(0, k));
    }
    return compress(kept, operands.rows);
  },

  async encodeGroupMax({ groups, ...operands }) {
    const kept: Entry[] = [];
    const each = operands.columns / groups;
    for (let r = 0; r < operands.rows; r++) {
      const entries = positives(operands, r).sort(strongestFirst);
      for (let group = 0; group < groups; group++) {
        const best = entries.find(({ column }) => Math.floor(column / each) === group);
        if (best) kept.push(best);
      }
    }
    return compress(kept, operands.rows);
  },

  async encodeThreshold({ threshold, ...operands }) {
    const kept: Entry[] = [];
    for (let r = 0; r < operands.rows; r++) {
      kept.push(...preActivations(operands, r).filter((entry) => entry.value > threshold[entry.column]));
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
};

function positives(operands: Omit<EncodeOperands, 'rows'>, row: number): Entry[] {
  return preActivations(operands, row).filter(({ value }) => value > 0);
}

/** Of the columns that take part, in one row, rounded to float32. */
function preActivations(operands: Omit<EncodeOperands, 'rows'>, row: number): Entry[] {
  const { x, width, weight, bias, columns, subset } = operands;
  const entries: Entry[] = [];
  for (let i = 0; i < (subset ? subset.length : columns); i++) {
    const column = subset ? subset[i] : i;
    const value = Math.fround(dot(x, row * width, weight, column * width, width) + bias[column]);
    entries.push({ row, column, value });
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
