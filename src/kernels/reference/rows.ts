/**
 * Operations on rows in the reference backend: residuals and sums. Formulas in float64; the oracle for `native/`.
 */
import type { Backend } from '../backend.ts';
import { dot } from './dense.ts';

type Rows = Pick<Backend, 'center' | 'residual' | 'columnSum' | 'sumOfSquares'>;

export const rows: Rows = {
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

  async columnSum({ m, rows, width, out }) {
    out.fill(0);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < width; i++) out[i] += m[r * width + i];
    }
  },

  async sumOfSquares(x) {
    return dot(x, 0, x, 0, x.length);
  },
};
