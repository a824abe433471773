/**
 * The dense operations of the reference backend: each is its formula, written out in float64.
 * The oracle for `native/`; nothing here is tuned.
 */
import type { Activation, Backend, PackedMatrix, Precision } from '../backend.ts';

type Dense = Pick<
  Backend,
  'pack' | 'linear' | 'addMoments' | 'add' | 'rmsNorm' | 'layerNorm' | 'takeRows' | 'rotary' | 'swiglu'
>;

export const dense: Dense = {
  pack(weight: Float32Array, outputs: number, inputs: number, precision: Precision = 'fp32'): PackedMatrix {
    return { outputs, inputs, precision, data: weight.slice(0, outputs * inputs) };
  },

  async linear({ x, rows, weight, bias, activation, out }) {
    const { outputs, inputs } = weight;
    const data = weight.data as Float32Array;
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        const sum = dot(x, r * inputs, data, o * inputs, inputs) + (bias?.[o] ?? 0);
        out[r * outputs + o] = activation === undefined ? sum : activations[activation](sum);
      }
    }
  },

  async addMoments({ x, rows, weight, group, second, fourth }) {
    const { outputs, inputs } = weight;
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        const square = dot(x, r * inputs, weight.data as Float32Array, o * inputs, inputs) ** 2;
        second[group[r] * outputs + o] += square;
        fourth[group[r] * outputs + o] += square * square;
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

  async layerNorm({ x, rows, width, epsilon, scale, out }) {
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * width, (r + 1) * width);
      const mean = row.reduce((sum, value) => sum + value, 0) / width;
      scale[r] = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width + epsilon);
      for (let i = 0; i < width; i++) out[r * width + i] = (row[i] - mean) / scale[r];
    }
  },

  async takeRows({ table, width, indices, out }) {
    indices.forEach((index, r) => {
      out.set(table.subarray(index * width, (index + 1) * width), r * width);
    });
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

const activations: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => (x / 2) * erfc(-x / Math.SQRT2),
  tanh: Math.tanh,
  geluTanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/**
 * `1 - erf(x)`, with a relative error of at most 1.2e-7 everywhere: the Chebyshev fit of Press et al., "Numerical
 * Recipes in C", second edition, section 6.2.
 */
function erfc(x: number): number {
  const z = Math.abs(x);
  const t = 1 / (1 + z / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ];
  const tail = t * Math.exp(-z * z + coefficients.reduce((sum, c) => sum * t + c));
  return x >= 0 ? tail : 2 - tail;
}

/** `<a[i..i+n], b[j..j+n]>` in float64. */
export function dot(a: Float32Array, i: number, b: Float32Array, j: number, n: number): number {
  let sum = 0;
  for (let t = 0; t < n; t++) sum += a[i + t] * b[j + t];
  return sum;
}
