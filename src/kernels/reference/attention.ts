/**
 * Attention and the softmax family of the reference backend: cross-entropy, KL divergence, sampling.
 * Formulas in float64; the oracle for `native/`.
 */
import type { Backend } from '../backend.ts';
import { dot } from './dense.ts';

type Softmaxes = Pick<Backend, 'attention' | 'attentionStep' | 'crossEntropy' | 'klDivergence' | 'sample'>;

export const softmaxes: Softmaxes = {
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

  async attentionStep({ q, kCache, vCache, batch, capacity, length, heads, headWidth, out }) {
    const width = heads * headWidth;
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        const keys = b * capacity * width + h * headWidth;
        attend(q, b * width + h * headWidth, kCache, vCache, keys, width, length, headWidth, out);
      }
    }
  },

  async crossEntropy({ logits, rows, vocabulary, targets, out }) {
    for (let r = 0; r < rows; r++) {
      const row = logits.subarray(r * vocabulary, (r + 1) * vocabulary);
      out[r] = logSumExp(row, 1) - row[targets[r]];
    }
  },

  async klDivergence({ p, q, rows, vocabulary, out }) {
    for (let r = 0; r < rows; r++) {
      const a = p.subarray(r * vocabulary, (r + 1) * vocabulary);
      const b = q.subarray(r * vocabulary, (r + 1) * vocabulary);
      const [logA, logB] = [logSumExp(a, 1), logSumExp(b, 1)];
      let sum = 0;
      for (let i = 0; i < vocabulary; i++) sum += Math.exp(a[i] - logA) * (a[i] - logA - (b[i] - logB));
      out[r] = sum;
    }
  },

  async sample({ logits, rows, vocabulary, temperature, uniforms, out }) {
    for (let r = 0; r < rows; r++) {
      const row = logits.subarray(r * vocabulary, (r + 1) * vocabulary);
      out[r] = temperature === 0 ? largest(row) : draw(row, temperature, uniforms[r]);
    }
  },
};

/** One query against `count` keys that lie `stride` apart from `keys` on. */
function attend(
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

/** `log sum_i exp(x_i / temperature)`, the largest taken out first so that nothing overflows. */
function logSumExp(x: Float32Array | Float64Array, temperature: number): number {
  const top = x[largest(x)] / temperature;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] / temperature - top);
  return top + Math.log(sum);
}

function largest(x: Float32Array | Float64Array): number {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
  return best;
}

function draw(logits: Float32Array, temperature: number, uniform: number): number {
  const total = logSumExp(logits, temperature);
  let cumulative = 0;
  for (let i = 0; i < logits.length; i++) {
    cumulative += Math.exp(logits[i] / temperature - total);
    if (cumulative > uniform) return i;
  }
  return largest(logits);
}
