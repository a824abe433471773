/** Where features point, when there are more of them than dimensions. It must not know when they fire. */

import type { Backend } from '../kernels/backend.ts';
import type { Random } from '../math/random.ts';

/** Unit rows `[rows, width]`, each direction equally likely: normals, scaled. */
export function randomDirections(rows: number, width: number, random: Random): Float32Array {
  const directions = new Float32Array(rows * width);
  random.fillNormal(directions, 1);
  for (let i = 0; i < rows; i++) {
    const row = directions.subarray(i * width, (i + 1) * width);
    const scale = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    row.forEach((value, c) => {
      row[c] = scale * value;
    });
  }
  return directions;
}

/** SynthSAEBench's. */
const RATE = 3e-4;

/**
 * Spreads unit rows D `[rows, width]` apart, in place, by `steps` steps of Adam (Kingma and Ba 2015) down
 * `sum_{i != j} (d_i . d_j)^2`. Its gradient is `4 (D D^T D - D)`, of which D^T D is `[width, width]`: rows x rows is never
 * written. The part of it along a row is left out, and after each step rows have unit norm again. O(rows width^2) a step.
 */
export async function spreadDirections(
  backend: Backend,
  directions: Float32Array,
  width: number,
  steps: number,
): Promise<void> {
  const rows = directions.length / width;
  const [m, v, gradient] = [0, 1, 2].map(() => backend.allocate(directions.length));
  const products = new Float32Array(width * width);
  for (let step = 1; step <= steps; step++) {
    await backend.transposedProduct({
      a: directions,
      b: directions,
      rows,
      aWidth: width,
      bWidth: width,
      out: products,
    });
    await backend.linear({
      x: directions,
      rows,
      weight: backend.pack(products, width, width),
      out: gradient,
    });
    for (let i = 0; i < rows; i++) {
      const start = i * width;
      let along = 0;
      for (let c = start; c < start + width; c++) along += gradient[c] * directions[c];
      for (let c = start; c < start + width; c++) gradient[c] -= along * directions[c];
    }
    await backend.stepArray({
      optimiser: {
        kind: 'adam',
        step,
        rate: RATE,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        gradientScale: 1,
      },
      trained: { parameter: directions, m, v },
      gradient,
    });
    await backend.unitRows({ weight: directions, rows, width });
  }
}
