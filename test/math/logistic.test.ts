import { expect, test } from 'vitest';
import { fitLogistic, sigmoid } from '../../src/math/logistic.ts';
import { Random } from '../../src/math/random.ts';

const random = new Random(1, 'logistic');
const N = 400;
const x = new Float64Array(2 * N);
random.fillNormal(x, 1);
const y = Array.from({ length: N }, (_, i) =>
  Number(random.uniform() < sigmoid(0.5 + 2 * x[2 * i] - x[2 * i + 1])),
);
const weights = Array.from({ length: N }, (_, i) => 1 + (i % 3));

test('the gradient is 0 where it stops', () => {
  const ridge = 0.7;
  const { intercept, slopes } = fitLogistic({ x, columns: 2, y, weights, ridge });
  const gradient = [0, 0, 0];
  for (let i = 0; i < N; i++) {
    const off = weights[i] * (sigmoid(intercept + slopes[0] * x[2 * i] + slopes[1] * x[2 * i + 1]) - y[i]);
    gradient[0] += off * x[2 * i];
    gradient[1] += off * x[2 * i + 1];
    gradient[2] += off;
  }
  expect(gradient[0] + ridge * slopes[0]).toBeCloseTo(0, 3);
  expect(gradient[1] + ridge * slopes[1]).toBeCloseTo(0, 3);
  expect(gradient[2]).toBeCloseTo(0, 3);
});

test('it finds the slopes that the labels were drawn by, and less of them under a ridge', () => {
  const free = fitLogistic({ x, columns: 2, y, weights, ridge: 1e-3 });
  expect(Math.abs(free.slopes[0] - 2)).toBeLessThan(0.6);
  expect(Math.abs(free.slopes[1] + 1)).toBeLessThan(0.5);
  const held = fitLogistic({ x, columns: 2, y, weights, ridge: 1000 });
  expect(Math.abs(held.slopes[0])).toBeLessThan(Math.abs(free.slopes[0]) / 2);
});

test('labels that a line parts have a finite fit', () => {
  const parted = fitLogistic({
    x: Float64Array.of(-2, -1, 1, 2),
    columns: 1,
    y: [0, 0, 1, 1],
    weights: [1, 1, 1, 1],
    ridge: 0.1,
  });
  expect(parted.slopes[0]).toBeGreaterThan(1);
  expect(Number.isFinite(parted.slopes[0])).toBe(true);
});

test('what does not fit is refused', () => {
  expect(() => fitLogistic({ x, columns: 2, y: [1], weights: [1], ridge: 1 })).toThrow(/1 rows of 2/);
  expect(() => fitLogistic({ x, columns: 2, y, weights, ridge: 0 })).toThrow(/ridge/);
});
