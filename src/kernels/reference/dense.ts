/**
 * The dense operations of the reference backend: each is its formula, written out in float64.
 * The oracle for `native/`; nothing here is tuned.
 */
import type { Backend, PackedMatrix } from '../backend.ts';

type Dense = Pick<Backend, 'pack' | 'linear' | 'add' | 'rmsNorm' | 'rotary' | 'swiglu'>;

export const dense: Dense = {
  pack(weight: Float32Array, outputs: number, inputs: number): PackedMatrix {
    return { outputs, inputs, data: weight.slice(0, outputs * inputs) };
  },

  async linear({ x, rows, weight, out }) {
    const { outputs, inputs, data } = weight;
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        out[r * outputs + o] = dot(x, r * inputs, data, o * inputs, inputs);
      }
    }
  },

  async add({ a, b, out }) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i];
  },

  async rmsNorm({ x, rows, width, epsilon, scale, out }) {
    for (let r = 0; r < rows; r++) {
      const square = dot(x, r * width, x, r * width, width);
      scale[r] = Math.sqrt(square / width + epsilon);
      for (let i = r * width; i < (r + 1) * width; i++) out[i] = x[i] / scale[r];
    }
  },

  async rotary({ x, rows, length, start, heads, headWidth, cos, sin, out }) {
    const half = headWidth / 2;
    for (let r = 0; r < rows; r++) {
      const position = start + (r % length);
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < half; i++) {
          const at = (r * heads + h) * headWidth + 2 * i;
          const c = cos[position * half + i];
          const s = sin[position * half + i];
          const [even, odd] = [x[at], x[at + 1]];
          out[at] = even * c - odd * s;
          out[at + 1] = even * s + odd * c;
        }
      }
    }
  },

  async swiglu({ gate, up, out }) {
    for (let i = 0; i < out.length; i++) out[i] = (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
  },
};

/** `<a[i..i+n], b[j..j+n]>` in float64. */
export function dot(a: Float32Array, i: number, b: Float32Array, j: number, n: number): number {
  let sum = 0;
  for (let t = 0; t < n; t++) sum += a[i + t] * b[j + t];
  return sum;
}
