import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { symmetricEigen } from '../../src/math/eigen.ts';
import { Random } from '../../src/math/random.ts';
import { orthogonalToy, randomCorrelation } from '../../src/toy/orthogonal.ts';

const toy = orthogonalToy(7);
const COUNT = 120_000;
const backend = loadBackend();
const { x, labels } = await toy.draw(backend, 0, COUNT);

describe('orthogonalToy', () => {
  test('orthonormal directions, and the probabilities that the paper’s L0 of 11 comes from', () => {
    const { directions, features, width, firingProbabilities } = toy;
    expect([features, width]).toEqual([50, 100]);
    for (let i = 0; i < features; i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let c = 0; c < width; c++) dot += directions[i * width + c] * directions[j * width + c];
        expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-6);
      }
    }
    expect(firingProbabilities[0]).toBeCloseTo(0.3881, 12);
    expect(firingProbabilities[49]).toBeCloseTo(0.05, 12);
    expect(toy.expectedL0).toBeCloseTo(10.9525, 10);
  });

  test('each feature fires as often as it says, though they are correlated', () => {
    const counts = new Float64Array(50);
    for (const feature of labels.indices) counts[feature]++;
    // 50 features at 4.5 standard errors: 1 seed in 3,000 fails.
    toy.firingProbabilities.forEach((p, i) => {
      expect(Math.abs(counts[i] / COUNT - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / COUNT));
    });
  });

  test('amplitudes are 1 +- 0.15', () => {
    const n = labels.values.length;
    const mean = labels.values.reduce((sum, a) => sum + a, 0) / n;
    const variance = labels.values.reduce((sum, a) => sum + (a - mean) ** 2, 0) / n;
    expect(Math.abs(mean - 1)).toBeLessThan((4 * 0.15) / Math.sqrt(n));
    expect(Math.abs(variance / 0.15 ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  test('x read along a direction is the amplitude where it fires and 0 where not', () => {
    for (let row = 0; row < 300; row++) {
      const amplitudes = new Float64Array(50);
      for (let e = labels.offsets[row]; e < labels.offsets[row + 1]; e++)
        amplitudes[labels.indices[e]] = labels.values[e];
      for (let i = 0; i < 50; i++) {
        let along = 0;
        for (let c = 0; c < 100; c++) along += x[row * 100 + c] * toy.directions[i * 100 + c];
        expect(Math.abs(along - amplitudes[i])).toBeLessThan(1e-5);
      }
    }
  });

  test('another seed is another world; the same seed the same', async () => {
    const some = await toy.draw(backend, 5, 3);
    expect(await orthogonalToy(7).draw(backend, 5, 3)).toEqual(some);
    const other = orthogonalToy(8);
    expect(other.directions).not.toEqual(toy.directions);
    expect((await other.draw(backend, 5, 3)).labels).not.toEqual(some.labels);
  });
});

describe('randomCorrelation', () => {
  test('a correlation matrix, with as much of each sign, weaker than what was drawn', () => {
    const n = 50;
    const matrix = randomCorrelation(n, new Random(1, 'correlations'));
    const pairs: number[] = [];
    for (let i = 0; i < n; i++) {
      expect(matrix[i * n + i]).toBe(1);
      for (let j = 0; j < i; j++) {
        expect(matrix[i * n + j]).toBe(matrix[j * n + i]);
        pairs.push(matrix[i * n + j]);
      }
    }
    expect(Math.min(...symmetricEigen(matrix, n).values)).toBeGreaterThan(0);
    const positive = pairs.filter((value) => value > 0).length / pairs.length;
    expect(positive).toBeGreaterThan(0.45);
    expect(positive).toBeLessThan(0.55);
    // Drawn magnitudes have mean 0.7 * 0.6 = 0.42; 0.14 is left.
    const magnitude = pairs.reduce((sum, value) => sum + Math.abs(value), 0) / pairs.length;
    expect(magnitude).toBeGreaterThan(0.1);
    expect(magnitude).toBeLessThan(0.2);
  });
});
