/**
 * Row and parameter operations of the reference backend: residuals, sums, unit rows, Adam.
 * Formulas in float64; the oracle for `native/`.
 */
import type { Backend } from '../backend.ts';
import { dot } from './dense.ts';

type Parameters = Pick<
  Backend,
  'center' | 'residual' | 'columnSum' | 'sumOfSquares' | 'removeParallel' | 'unitRows' | 'adam'
>;

export const parameters: Parameters = {
  async center({ x, center, rows, width, scale, out }) {
    for (let i = 0; i < rows * width; i++) out[i] = scale * (x[i] - center[i % width]);
  },

  async residual({ a, b, rows, width, scale, out, squares }) {
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let i = r * width; i < (r + 1) * width; i++) {
        const difference = a[i] - b[i];
        sum += difference * difference;
        out[i] = scale * difference;
      }
      squares[r] = sum;
    }
  },

  async columnSum({ m, rows, width, weights, out }) {
    out.fill(0);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < width; i++) out[i] += (weights ? weights[r] : 1) * m[r * width + i];
    }
  },

  async sumOfSquares(x) {
    return dot(x, 0, x, 0, x.length);
  },

  async removeParallel({ gradient, weight, rows, width }) {
    for (let r = 0; r < rows; r++) {
      const along = dot(gradient, r * width, weight, r * width, width);
      for (let i = r * width; i < (r + 1) * width; i++) gradient[i] -= along * weight[i];
    }
  },

  async unitRows({ weight, rows, width }) {
    for (let r = 0; r < rows; r++) {
      const norm = Math.sqrt(dot(weight, r * width, weight, r * width, width));
      if (norm === 0) continue;
      for (let i = r * width; i < (r + 1) * width; i++) weight[i] /= norm;
    }
  },

  async adam({ parameter, gradient, m, v, step, rate, beta1, beta2, epsilon, gradientScale }) {
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    for (let i = 0; i < parameter.length; i++) {
      const g = gradientScale * gradient[i];
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      parameter[i] -= (rate * (m[i] / correction1)) / (Math.sqrt(v[i] / correction2) + epsilon);
      gradient[i] = 0;
    }
  },
};
