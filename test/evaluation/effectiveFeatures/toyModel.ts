/**
 * The toy model of superposition (Elhage et al. 2022), plainly: `h = W^T x`, `x' = ReLU(W h + b)`, features that fire with
 * probability p and are uniform in [0, 1] then, the mean squared error, Adam.
 */
import { Random } from '../../../src/math/random.ts';

/** W `[features, hidden]` after training, and `rows` hidden activations of fresh samples, `[rows, hidden]`. */
export function toyModel(shape: {
  features: number;
  hidden: number;
  p: number;
  steps: number;
  rows: number;
  seed: number;
}) {
  const { features: n, hidden: m, p, steps, rows, seed } = shape;
  const random = new Random(seed, 'toy model', String(p));
  const batch = 64;
  const weight = new Float64Array(n * m + n);
  random.fillNormal(weight.subarray(0, n * m), 1 / Math.sqrt(n));
  const [first, second] = [new Float64Array(weight.length), new Float64Array(weight.length)];
  const draw = (x: Float64Array) => {
    for (let i = 0; i < n; i++) x[i] = random.uniform() < p ? random.uniform() : 0;
  };
  const [x, h, into] = [new Float64Array(n), new Float64Array(m), new Float64Array(m)];
  const hide = () => {
    h.fill(0);
    for (let i = 0; i < n; i++) if (x[i] > 0) for (let c = 0; c < m; c++) h[c] += x[i] * weight[i * m + c];
  };
  for (let step = 1; step <= steps; step++) {
    const gradient = new Float64Array(weight.length);
    for (let r = 0; r < batch; r++) {
      draw(x);
      hide();
      into.fill(0);
      for (let i = 0; i < n; i++) {
        let y = weight[n * m + i];
        for (let c = 0; c < m; c++) y += h[c] * weight[i * m + c];
        // The loss is divided by p, so that one rate serves all sparsities.
        const g = y > 0 ? (2 * (y - x[i])) / (n * batch * p) : 0;
        if (g === 0) continue;
        gradient[n * m + i] += g;
        for (let c = 0; c < m; c++) {
          gradient[i * m + c] += g * h[c];
          into[c] += g * weight[i * m + c];
        }
      }
      for (let i = 0; i < n; i++)
        if (x[i] > 0) for (let c = 0; c < m; c++) gradient[i * m + c] += x[i] * into[c];
    }
    const rate = 0.01 * Math.min(1, (steps - step) / (steps / 2));
    for (let w = 0; w < weight.length; w++) {
      first[w] = 0.9 * first[w] + 0.1 * gradient[w];
      second[w] = 0.999 * second[w] + 0.001 * gradient[w] ** 2;
      weight[w] -=
        (rate * (first[w] / (1 - 0.9 ** step))) / (Math.sqrt(second[w] / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  const activations = new Float32Array(rows * m);
  for (let r = 0; r < rows; r++) {
    draw(x);
    hide();
    activations.set(h, r * m);
  }
  return { weight: weight.subarray(0, n * m), activations };
}
