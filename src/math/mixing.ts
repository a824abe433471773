/**
 * Rows mixed by a random orthogonal matrix: mean and covariance stay as they are, and by the central limit theorem nothing
 * else does. It must not know what the rows are.
 */
import type { Random } from './random.ts';

/** Columns that are mixed at a time, so that what is worked on stays in a cache. */
const COLUMNS = 16;

/**
 * `Q x` for `x [rows, width]`, in a new array, with Q orthogonal and `Q 1 = 1`: so `sum_r x[r]` and `x^T x` are the same, up
 * to rounding. For a power of two of rows `Q = H S H / rows`, with H the Hadamard matrix of Walsh and S random signs, the
 * first of them +: each row becomes a combination of all others with coefficients of variance 1 / rows. (A randomised
 * Hadamard transform, Ailon and Chazelle 2009, done twice so that constants stay.) Any other number is mixed as two powers
 * of two that overlap, one after the other. O(rows log(rows) width).
 */
export function mixRows(x: Float32Array, rows: number, random: Random): Float32Array {
  const width = x.length / rows;
  const power = 2 ** Math.floor(Math.log2(rows));
  const out = x.slice();
  for (const first of power === rows ? [0] : [0, rows - power]) {
    mixPower(out.subarray(first * width, (first + power) * width), power, width, randomSigns(power, random));
  }
  return out;
}

function randomSigns(count: number, random: Random): Float32Array {
  const words = new Int32Array(Math.ceil(count / 32));
  random.fillBits(words);
  return Float32Array.from({ length: count }, (_, i) =>
    i === 0 || (words[i >> 5] >> (i & 31)) & 1 ? 1 : -1,
  );
}

function mixPower(x: Float32Array, rows: number, width: number, signs: Float32Array): void {
  const room = new Float32Array(rows * Math.min(COLUMNS, width));
  for (let from = 0; from < width; from += COLUMNS) {
    const columns = Math.min(COLUMNS, width - from);
    const slab = room.subarray(0, rows * columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) slab[r * columns + c] = x[r * width + from + c];
    hadamard(slab, columns);
    for (let r = 0; r < rows; r++) {
      const factor = signs[r] / rows;
      for (let c = 0; c < columns; c++) slab[r * columns + c] *= factor;
    }
    hadamard(slab, columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) x[r * width + from + c] = slab[r * columns + c];
  }
}

/** The fast Walsh-Hadamard transform over the rows of `slab [a power of two, columns]`, in place, two stages at a time. */
function hadamard(slab: Float32Array, columns: number): void {
  let part = columns;
  for (; 4 * part <= slab.length; part *= 4) {
    for (let start = 0; start < slab.length; start += 4 * part) {
      for (let i = start; i < start + part; i++) {
        const a = slab[i];
        const b = slab[i + part];
        const c = slab[i + 2 * part];
        const d = slab[i + 3 * part];
        slab[i] = a + b + (c + d);
        slab[i + part] = a - b + (c - d);
        slab[i + 2 * part] = a + b - (c + d);
        slab[i + 3 * part] = a - b - (c - d);
      }
    }
  }
  if (part === slab.length) return;
  for (let i = 0; i < part; i++) {
    const [a, b] = [slab[i], slab[i + part]];
    slab[i] = a + b;
    slab[i + part] = a - b;
  }
}
