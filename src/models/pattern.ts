/**
 * Attention in the open: scores, pattern and mix, each written out, for whoever wants to see or change them.
 * Slow beside `backend.attention`, which gives the same z without keeping any of it.
 */

interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly headWidth: number;
}

/**
 * `<q_i, k_j> / sqrt(headWidth)`, -Infinity where key j is later than query i: `[batch, heads, length, length]`.
 * `q, k [batch * length, heads * headWidth]`.
 */
export function attentionScores(q: Float32Array, k: Float32Array, sizes: Sizes): Float32Array {
  const { length, headWidth } = sizes;
  const scores = new Float32Array(sizes.batch * sizes.heads * length * length).fill(-Infinity);
  forEachHead(sizes, (at, row) => {
    for (let i = 0; i < length; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let c = 0; c < headWidth; c++) sum += q[row(i) + c] * k[row(j) + c];
        scores[at + i * length + j] = sum / Math.sqrt(headWidth);
      }
    }
  });
  return scores;
}

/** Softmax of each row of `length` scores, in place. A row that is -Infinity throughout becomes zeros. */
export function softmaxRows(scores: Float32Array, length: number): void {
  for (let at = 0; at < scores.length; at += length) {
    const row = scores.subarray(at, at + length);
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    if (top === -Infinity) {
      row.fill(0);
      continue;
    }
    let total = 0;
    for (let j = 0; j < length; j++) total += Math.exp(row[j] - top);
    for (let j = 0; j < length; j++) row[j] = Math.exp(row[j] - top) / total;
  }
}

/** `out_i = sum_j pattern_ij v_j` in each head. `v, out [batch * length, heads * headWidth]`. */
export function mixValues(pattern: Float32Array, v: Float32Array, sizes: Sizes, out: Float32Array): void {
  const { length, headWidth } = sizes;
  forEachHead(sizes, (at, row) => {
    for (let i = 0; i < length; i++) {
      for (let c = 0; c < headWidth; c++) {
        let sum = 0;
        for (let j = 0; j < length; j++) sum += pattern[at + i * length + j] * v[row(j) + c];
        out[row(i) + c] = sum;
      }
    }
  });
}

/** `at`: where the head's `[length, length]` begins; `row(i)`: where its values at position i begin. */
function forEachHead(
  { batch, length, heads, headWidth }: Sizes,
  use: (at: number, row: (i: number) => number) => void,
): void {
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      use((b * heads + h) * length * length, (i) => ((b * length + i) * heads + h) * headWidth);
    }
  }
}
