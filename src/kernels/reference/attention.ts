/** Causal attention of the reference backend. Formulas in float64; the oracle for `native/`. */
import type { Backend } from '../backend.ts';
import { dot } from './dense.ts';
import { logSumExp } from './unembed.ts';

export const attention: Pick<Backend, 'attention'> = {
  async attention({ q, k, v, batch, length, heads, headWidth, out }) {
    const width = heads * headWidth;
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < length; t++) {
        for (let h = 0; h < heads; h++) {
          const query = (b * length + t) * width + h * headWidth;
          attend(q, query, k, v, b * length * width + h * headWidth, width, t + 1, headWidth, out);
        }
      }
    }
  },
};

/** One query against `count` keys that lie `stride` apart from `keys` on. */
export function attend(
  q: Float32Array,
  query: number,
  k: Float32Array,
  v: Float32Array,
  keys: number,
  stride: number,
  count: number,
  headWidth: number,
  out: Float32Array,
): void {
  const scores = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    scores[t] = dot(q, query, k, keys + t * stride, headWidth) / Math.sqrt(headWidth);
  }
  const total = logSumExp(scores, 1);
  for (let i = 0; i < headWidth; i++) {
    let sum = 0;
    for (let t = 0; t < count; t++) sum += Math.exp(scores[t] - total) * v[keys + t * stride + i];
    out[query + i] = sum;
  }
}
