/**
 * What is asked of the next-token distributions, for the reference backend: the logits of a row are made in full, in
 * float64. The oracle for the fused operations of `native/`.
 */
import type { Backend, PackedMatrix } from '../backend.ts';
import { dot } from './dense.ts';

export const unembed: Pick<Backend, 'crossEntropy' | 'divergence' | 'sample'> = {
  async crossEntropy({ x, rows, weight, targets, out }) {
    for (let r = 0; r < rows; r++) {
      const row = logits(x, r, weight);
      out[r] = logSumExp(row, 1) - row[targets[r]];
    }
  },

  async divergence({ clean, other, rows, weight, targets, kl, crossEntropy }) {
    for (let r = 0; r < rows; r++) {
      const [a, b] = [logits(clean, r, weight), logits(other, r, weight)];
      const [logA, logB] = [logSumExp(a, 1), logSumExp(b, 1)];
      kl[r] = a.reduce((sum, value, i) => sum + Math.exp(value - logA) * (value - logA - (b[i] - logB)), 0);
      crossEntropy[r] = logB - b[targets[r]];
    }
  },

  async sample({ x, rows, weight, temperature, uniforms, out }) {
    for (let r = 0; r < rows; r++) {
      const row = logits(x, r, weight);
      out[r] = temperature === 0 ? largest(row) : draw(row, temperature, uniforms[r]);
    }
  },
};

function logits(x: Float32Array, r: number, { data, outputs, inputs }: PackedMatrix): Float64Array {
  return Float64Array.from({ length: outputs }, (_, o) =>
    dot(x, r * inputs, data as Float32Array, o * inputs, inputs),
  );
}

/** `log sum_i exp(x_i / temperature)`, the largest taken out first so that nothing overflows. */
export function logSumExp(x: Float32Array | Float64Array, temperature: number): number {
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

function draw(logits: Float64Array, temperature: number, uniform: number): number {
  const total = logSumExp(logits, temperature);
  let cumulative = 0;
  for (let i = 0; i < logits.length; i++) {
    cumulative += Math.exp(logits[i] / temperature - total);
    if (cumulative > uniform) return i;
  }
  return largest(logits);
}
