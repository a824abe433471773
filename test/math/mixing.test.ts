/** Mixed rows keep mean and second moments exactly, and lose everything else: sparse data come out normal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixRows } from '../../src/math/mixing.ts';
import { Random } from '../../src/math/random.ts';

/** Mostly zeros, around another mean in each column. */
function sparse(rows: number, width: number, seed: number): Float32Array {
  const random = new Random(seed, 'sparse');
  return Float32Array.from(
    { length: rows * width },
    (_, at) => (random.uniform() < 0.02 ? 5 * random.normal() : 0) + (at % width),
  );
}

function moments(x: Float32Array, rows: number): { mean: number[]; second: number[] } {
  const width = x.length / rows;
  const [mean, second] = [new Array(width).fill(0), new Array(width * width).fill(0)];
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < width; i++) {
      mean[i] += x[r * width + i] / rows;
      for (let j = 0; j < width; j++) second[i * width + j] += (x[r * width + i] * x[r * width + j]) / rows;
    }
  }
  return { mean, second };
}

/** Excess kurtosis of each column. */
function kurtoses(x: Float32Array, rows: number): number[] {
  const width = x.length / rows;
  return Array.from({ length: width }, (_, i) => {
    const column = Array.from({ length: rows }, (_, r) => x[r * width + i]);
    const mean = column.reduce((a, b) => a + b) / rows;
    const power = (p: number) => column.reduce((sum, value) => sum + (value - mean) ** p, 0) / rows;
    return power(4) / power(2) ** 2 - 3;
  });
}

describe('mixRows', () => {
  it('keeps mean and second moments to rounding, for any number of rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        (n, d, seed) => {
          const x = sparse(n, d, seed);
          const mixed = mixRows(x, n, new Random(seed, 'mix'));
          const [before, after] = [moments(x, n), moments(mixed, n)];
          const size = Math.max(1, ...before.second.map(Math.abs));
          before.mean.forEach((value, i) => {
            expect(Math.abs(after.mean[i] - value)).toBeLessThan(1e-5 * Math.sqrt(size));
          });
          before.second.forEach((value, i) => {
            expect(Math.abs(after.second[i] - value)).toBeLessThan(1e-5 * size);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([4096, 3000])('leaves nothing of the sparseness of %i rows', (rows) => {
    const x = sparse(rows, 12, 3);
    const mixed = mixRows(x, rows, new Random(1, 'mix'));
    expect(Math.min(...kurtoses(x, rows))).toBeGreaterThan(50);
    // The standard error of an excess kurtosis of normals is sqrt(24 / rows).
    for (const excess of kurtoses(mixed, rows))
      expect(Math.abs(excess)).toBeLessThan(5 * Math.sqrt(24 / rows));
  });

  it('is linear in the rows, follows the seed, and leaves its argument alone', () => {
    const x = sparse(64, 3, 1);
    const before = x.slice();
    const once = mixRows(x, 64, new Random(5, 'a'));
    expect(x).toEqual(before);
    expect(mixRows(x, 64, new Random(5, 'a'))).toEqual(once);
    expect(mixRows(x, 64, new Random(5, 'b'))).not.toEqual(once);
    const doubled = mixRows(
      x.map((value) => 2 * value),
      64,
      new Random(5, 'a'),
    );
    expect(doubled).toEqual(once.map((value) => 2 * value));
  });
});
