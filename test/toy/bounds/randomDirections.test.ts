import { describe, expect, test } from 'vitest';
import { scoreRandomDirections } from '../../../src/evaluation/groundTruth.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { Random } from '../../../src/math/random.ts';
import {
  directionsWithin,
  expectedGreatestCosine,
  expectedNearestCosine,
  tailOfCosine,
} from '../../../src/toy/bounds/randomDirections.ts';

describe('tailOfCosine', () => {
  test('closed forms: in the plane 1 - 2 asin(c) / pi, in space 1 - c, in four dimensions', () => {
    for (const c of [0, 0.1, 0.5, 0.83, 0.99, 1]) {
      const angle = Math.asin(c);
      expect(tailOfCosine(c, 2)).toBeCloseTo(1 - (2 * angle) / Math.PI, 6);
      expect(tailOfCosine(c, 3)).toBeCloseTo(1 - c, 6);
      expect(tailOfCosine(c, 4)).toBeCloseTo(1 - (2 * (angle + Math.sin(2 * angle) / 2)) / Math.PI, 6);
    }
  });

  test('is refused where there is no cosine and no second dimension', () => {
    expect(() => tailOfCosine(1.2, 3)).toThrow('a |cos| is in [0, 1], not 1.2');
    expect(() => tailOfCosine(0.5, 1)).toThrow('2 dimensions or more, not in 1');
  });
});

describe('expectedNearestCosine', () => {
  test('the null of MMCS as draws have it', () => {
    const table = [
      [200, 20, 0.61],
      [512, 64, 0.394],
      [2048, 64, 0.435],
      [1024, 128, 0.3],
      [4096, 768, 0.137],
      [16384, 768, 0.15],
    ];
    for (const [n, m, null_] of table)
      expect(Math.abs(expectedNearestCosine(n, m) - null_)).toBeLessThan(0.003);
  });

  test('closed forms: in space n / (n + 1), in the plane of one 2 / pi', () => {
    for (const n of [1, 2, 5, 100]) expect(expectedNearestCosine(n, 3)).toBeCloseTo(n / (n + 1), 5);
    expect(expectedNearestCosine(1, 2)).toBeCloseTo(2 / Math.PI, 6);
  });

  test('is what random dictionaries score', async () => {
    const [n, m] = [60, 12];
    const directions = new Float32Array(n * m);
    new Random(2, 'features').fillNormal(directions, 1);
    const scores = await scoreRandomDirections(
      createReferenceBackend(),
      { latents: 400, seed: 1 },
      directions,
      m,
    );
    expect(Math.abs(scores.mmcsOfLatents - expectedNearestCosine(n, m))).toBeLessThan(0.015);
  });

  test('grows with directions and falls with dimensions, and nears sqrt(2 ln n / m)', () => {
    expect(expectedNearestCosine(101, 20)).toBeGreaterThan(expectedNearestCosine(100, 20));
    expect(expectedNearestCosine(100, 21)).toBeLessThan(expectedNearestCosine(100, 20));
    const [n, m] = [1e6, 1e6];
    const near = Math.sqrt((2 * Math.log(n)) / m);
    expect(expectedNearestCosine(n, m) / near).toBeGreaterThan(0.9);
    expect(expectedNearestCosine(n, m) / near).toBeLessThan(1);
  });
});

describe('expectedGreatestCosine', () => {
  test('is what 300 draws of 40 directions in 30 dimensions show', () => {
    const random = new Random(3, 'draws');
    let sum = 0;
    for (let draw = 0; draw < 300; draw++) {
      const rows = Array.from({ length: 40 }, () => {
        const row = new Float64Array(30);
        random.fillNormal(row, 1);
        const norm = Math.hypot(...row);
        return row.map((value) => value / norm);
      });
      let greatest = 0;
      for (let i = 0; i < 40; i++)
        for (let j = 0; j < i; j++)
          greatest = Math.max(
            greatest,
            Math.abs(rows[i].reduce((dot, value, c) => dot + value * rows[j][c], 0)),
          );
      sum += greatest / 300;
    }
    expect(Math.abs(sum - expectedGreatestCosine(40, 30))).toBeLessThan(0.008);
    expect(expectedGreatestCosine(1, 30)).toBe(0);
  });
});

describe('directionsWithin', () => {
  test('undoes the tail: the expected pairs beyond are at most a half, and with one more direction are not', () => {
    for (const [cosine, m] of [
      [0.2, 768],
      [0.3, 200],
      [0.5, 20],
    ]) {
      const n = directionsWithin(cosine, m);
      const beyond = (count: number) => ((count * (count - 1)) / 2) * tailOfCosine(cosine, m);
      expect(beyond(n)).toBeLessThanOrEqual(0.5);
      expect(beyond(n + 1)).toBeGreaterThan(0.5);
    }
  });

  test('grows exponentially with the dimensions: as exp(m c^2 / 4), but for the slowly varying', () => {
    const growth = Math.log(directionsWithin(0.2, 3000) / directionsWithin(0.2, 2000)) / 1000;
    expect(Math.abs(growth - 0.04 / 4)).toBeLessThan(1e-3);
  });
});
