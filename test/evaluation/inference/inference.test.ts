import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lassoAtL0, nonNegativeLasso } from '../../../src/evaluation/inference/nonNegativeLasso.ts';
import { orthogonalPursuit } from '../../../src/evaluation/inference/orthogonalPursuit.ts';
import type { Inference } from '../../../src/evaluation/inference/problem.ts';
import type { Backend, SparseRows } from '../../../src/kernels/backend.ts';
import { createNativeBackend, nativeProblem } from '../../../src/kernels/native.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { orthonormalRows } from '../../../src/math/orthonormal.ts';
import { Random } from '../../../src/math/random.ts';

const reference = createReferenceBackend();

/** Rows that are sums of `k` of `latents` random unit directions, amplitudes 0.5 to 1.5, with noise. */
function world(options: {
  rows: number;
  width: number;
  latents: number;
  k: number;
  noise: number;
  seed: number;
}) {
  const { rows, width, latents, k, noise, seed } = options;
  const random = new Random(seed, 'inference');
  const directions = new Float32Array(latents * width);
  random.fillNormal(directions, 1);
  for (let j = 0; j < latents; j++) {
    const row = directions.subarray(j * width, (j + 1) * width);
    const norm = Math.hypot(...row);
    for (let c = 0; c < width; c++) row[c] /= norm;
  }
  const x = new Float32Array(rows * width);
  random.fillNormal(x, noise);
  const truth = new Float32Array(rows * latents);
  for (let r = 0; r < rows; r++) {
    for (const j of random.permutation(latents).subarray(0, k)) {
      truth[r * latents + j] = 0.5 + random.uniform();
      for (let c = 0; c < width; c++) x[r * width + c] += truth[r * latents + j] * directions[j * width + c];
    }
  }
  return { x, rows, width, directions, truth };
}

const on = (backend: Backend, problem: Omit<Inference, 'backend'>): Inference => ({ backend, ...problem });

function dense(codes: SparseRows, latents: number): Float32Array {
  const out = new Float32Array(codes.rows * latents);
  for (let r = 0; r < codes.rows; r++)
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      out[r * latents + codes.indices[e]] = codes.values[e];
  return out;
}

/** `(x - z D) . d_j` of row r for each latent. */
function slopes({ x, width, directions }: Omit<Inference, 'backend'>, z: Float32Array, r: number): number[] {
  const latents = directions.length / width;
  const left = Array.from({ length: width }, (_, c) => {
    let sum = x[r * width + c];
    for (let j = 0; j < latents; j++) sum -= z[r * latents + j] * directions[j * width + c];
    return sum;
  });
  return Array.from({ length: latents }, (_, j) =>
    left.reduce((sum, value, c) => sum + value * directions[j * width + c], 0),
  );
}

const squareLeft = (problem: Omit<Inference, 'backend'>, z: Float32Array, r: number) => {
  const latents = problem.directions.length / problem.width;
  let square = 0;
  for (let c = 0; c < problem.width; c++) {
    let left = problem.x[r * problem.width + c];
    for (let j = 0; j < latents; j++) left -= z[r * latents + j] * problem.directions[j * problem.width + c];
    square += left * left;
  }
  return square;
};

describe('nonNegativeLasso', () => {
  test('nothing can be gained: slopes are the penalty where z > 0, and no more elsewhere', async () => {
    for (const penalty of [0.02, 0.1, 0.5]) {
      const problem = world({ rows: 30, width: 12, latents: 20, k: 3, noise: 0.05, seed: 1 });
      const z = await nonNegativeLasso(on(reference, problem), penalty);
      for (let r = 0; r < 30; r++) {
        slopes(problem, z, r).forEach((slope, j) => {
          if (z[r * 20 + j] > 1e-3) expect(Math.abs(slope - penalty)).toBeLessThan(5e-3);
          else expect(slope).toBeLessThan(penalty + 5e-3);
        });
      }
    }
  });

  test('orthonormal directions: products less the penalty, cut at 0', async () => {
    const [width, rows] = [6, 10];
    const directions = Float32Array.from(orthonormalRows(width, width, new Random(2)));
    const x = new Float32Array(rows * width);
    new Random(3, 'x').fillNormal(x, 1);
    const z = await nonNegativeLasso({ backend: reference, x, rows, width, directions }, 0.3);
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < width; j++) {
        let product = 0;
        for (let c = 0; c < width; c++) product += x[r * width + c] * directions[j * width + c];
        expect(z[r * width + j]).toBeCloseTo(Math.max(0, product - 0.3), 3);
      }
    }
  });

  test('a penalty beyond every product leaves nothing; a negative one is refused', async () => {
    const problem = on(reference, world({ rows: 4, width: 6, latents: 9, k: 2, noise: 0, seed: 4 }));
    expect(Math.max(...(await nonNegativeLasso(problem, 100)))).toBe(0);
    await expect(nonNegativeLasso(problem, -1)).rejects.toThrow('penalty: expected a number >= 0, not -1');
  });
});

describe('lassoAtL0', () => {
  test('finds the truth at its L0, without shrinking it', async () => {
    const problem = world({ rows: 60, width: 24, latents: 40, k: 3, noise: 0, seed: 5 });
    const codes = await lassoAtL0(on(reference, problem), 3);
    expect(Math.abs(codes.values.length / 60 - 3)).toBeLessThan(0.3);
    const z = dense(codes, 40);
    const right = z.filter((value, i) => Math.abs(value - problem.truth[i]) < 0.05).length;
    expect(right / z.length).toBeGreaterThan(0.97);
  });
});

describe('orthogonalPursuit', () => {
  test('finds the truth at its L0, each row with a number of its own', async () => {
    const problem = world({ rows: 60, width: 24, latents: 40, k: 3, noise: 0, seed: 5 });
    const codes = await orthogonalPursuit(on(reference, problem), new Uint32Array(60).fill(3));
    const found = dense(codes, 40).filter((value, i) => Math.abs(value - problem.truth[i]) < 1e-3).length;
    expect(found / problem.truth.length).toBeGreaterThan(0.97);
    const most = Uint32Array.from({ length: 60 }, (_, r) => r % 4);
    const few = await orthogonalPursuit(on(reference, problem), most);
    for (let r = 0; r < 60; r++) expect(few.offsets[r + 1] - few.offsets[r]).toBeLessThanOrEqual(most[r]);
  });

  test('of one latent the best of all; of more, values that are best for them and no worse than with one fewer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 12 }), fc.integer(), async (latents, seed) => {
        const problem = world({ rows: 3, width: 5, latents, k: 2, noise: 0.3, seed });
        let before = [Infinity, Infinity, Infinity];
        for (const most of [1, 2, 3]) {
          const codes = await orthogonalPursuit(on(reference, problem), [most, most, most]);
          const z = dense(codes, latents);
          const left = [0, 1, 2].map((r) => squareLeft(problem, z, r));
          for (let r = 0; r < 3; r++) {
            expect(left[r]).toBeLessThanOrEqual(before[r] + 1e-5);
            slopes(problem, z, r).forEach((slope, j) => {
              if (z[r * latents + j] > 0) expect(Math.abs(slope)).toBeLessThan(1e-4);
            });
            if (most === 1) {
              const zero = slopes(problem, new Float32Array(3 * latents), r);
              const best = squareLeft(problem, new Float32Array(3 * latents), r) - Math.max(0, ...zero) ** 2;
              expect(left[r]).toBeCloseTo(best, 4);
            }
          }
          before = left;
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a dictionary with copies, and rows of zeros', async () => {
    const problem = world({ rows: 5, width: 8, latents: 6, k: 2, noise: 0.1, seed: 6 });
    const directions = Float32Array.from([...problem.directions, ...problem.directions]);
    const x = problem.x.slice().fill(0, 0, 8);
    const codes = await orthogonalPursuit(
      on(reference, { ...problem, x, directions }),
      new Uint32Array(5).fill(6),
    );
    expect(codes.offsets[1]).toBe(0);
    expect(codes.values.every((value) => value > 0)).toBe(true);
    const single = await orthogonalPursuit(on(reference, { ...problem, x }), new Uint32Array(5).fill(6));
    for (let r = 0; r < 5; r++) {
      const twice = { ...problem, x, directions };
      expect(squareLeft(twice, dense(codes, 12), r)).toBeCloseTo(
        squareLeft({ ...problem, x }, dense(single, 6), r),
        3,
      );
    }
  });
});

test.skipIf(nativeProblem() !== undefined)(
  'the addon’s oracles are the reference’s, for any number of threads',
  async () => {
    const problem = world({ rows: 200, width: 32, latents: 80, k: 4, noise: 0.05, seed: 7 });
    const most = new Uint32Array(200).fill(4);
    const run = async (backend: Backend) => ({
      lasso: await nonNegativeLasso(on(backend, problem), 0.1),
      pursuit: await orthogonalPursuit(on(backend, problem), most),
    });
    const [exact, one, two] = [
      await run(reference),
      await run(createNativeBackend({ threads: 1 })),
      await run(createNativeBackend({ threads: 2 })),
    ];
    expect(one).toEqual(two);
    for (let i = 0; i < exact.lasso.length; i++)
      expect(Math.abs(exact.lasso[i] - one.lasso[i])).toBeLessThan(2e-3);
    expect(one.pursuit.indices).toEqual(exact.pursuit.indices);
  },
);
