import { describe, expect, test } from 'vitest';
import { orthonormalRows } from '../../src/math/orthonormal.ts';
import { Random } from '../../src/math/random.ts';

describe('orthonormalRows', () => {
  test('unit rows at right angles, as many as there are dimensions too', () => {
    for (const [rows, width] of [
      [1, 1],
      [5, 9],
      [60, 60],
    ]) {
      const q = orthonormalRows(rows, width, new Random(1));
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j <= i; j++) {
          let dot = 0;
          for (let c = 0; c < width; c++) dot += q[i * width + c] * q[j * width + c];
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14);
        }
      }
    }
  });

  test('no direction is preferred: in the plane, angles of the last row fall evenly into eight sectors', () => {
    const random = new Random(2);
    const counts = new Float64Array(8);
    for (let trial = 0; trial < 8000; trial++) {
      const q = orthonormalRows(2, 2, random);
      counts[Math.floor((Math.atan2(q[3], q[2]) / Math.PI + 1) * 4) % 8]++;
    }
    // 7 degrees of freedom: above 24.3 in 1 of 1,000 seeds.
    expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(24.3);
  });

  test('more rows than dimensions are refused', () => {
    expect(() => orthonormalRows(4, 3, new Random(1))).toThrow(/4 orthonormal rows do not fit into 3/);
  });
});
