import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { mostEquiangular, welchBound, welchMeanSquare } from '../../../src/toy/bounds/welch.ts';

/** |cos| of all pairs of the rows. */
function cosines(rows: number[][]): number[] {
  const norm = (a: number[]) => Math.hypot(...a);
  return rows.flatMap((a, i) =>
    rows.slice(0, i).map((b) => Math.abs(a.reduce((sum, v, c) => sum + v * b[c], 0)) / (norm(a) * norm(b))),
  );
}

const polygon = Array.from({ length: 3 }, (_, i) => [
  Math.cos((2 * Math.PI * i) / 3),
  Math.sin((2 * Math.PI * i) / 3),
]);
const golden = (1 + Math.sqrt(5)) / 2;
/** The six diagonals of the icosahedron: as many lines of one angle as three dimensions hold. */
const icosahedron = [
  [0, 1, golden],
  [0, 1, -golden],
  [1, golden, 0],
  [1, -golden, 0],
  [golden, 0, 1],
  [-golden, 0, 1],
];

describe('welchBound', () => {
  test('at sizes of published dictionaries', () => {
    const table = [
      [200, 20, 0.2127],
      [512, 64, 0.117],
      [2048, 64, 0.123],
      [1024, 128, 0.0827],
      [4096, 768, 0.0325],
      [16384, 768, 0.0352],
      [32768, 512, 0.0438],
    ];
    for (const [n, m, bound] of table) expect(Math.abs(welchBound(n, m) - bound)).toBeLessThan(1e-4);
  });

  test('is reached by equiangular lines: three in the plane, six in space, and no more are possible', () => {
    for (const [lines, m] of [
      [polygon, 2],
      [icosahedron, 3],
    ] as const) {
      const found = cosines(lines.map((line) => [...line]));
      for (const cosine of found) expect(cosine).toBeCloseTo(welchBound(lines.length, m), 12);
      expect(mostEquiangular(m)).toBe(lines.length);
    }
  });

  test('no directions do better, few or many for their dimensions; where they fit, 0', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 2, max: 60 }),
        fc.integer(),
        (m, n, seed) => {
          const random = new Random(seed, 'lines');
          const lines = Array.from({ length: n }, () => Array.from({ length: m }, () => random.normal()));
          const found = cosines(lines);
          expect(Math.max(...found)).toBeGreaterThanOrEqual(welchBound(n, m) - 1e-9);
          const square = found.reduce((sum, cosine) => sum + cosine ** 2, 0) / found.length;
          expect(square).toBeGreaterThanOrEqual(welchMeanSquare(n, m) - 1e-9);
          if (n <= m) expect([welchBound(n, m), welchMeanSquare(n, m)]).toEqual([0, 0]);
        },
      ),
    );
  });

  test('in one dimension all are one line; beyond m (m + 1) / 2 the higher orders bind', () => {
    expect(welchBound(7, 1)).toBe(1);
    expect(welchBound(1000, 3)).toBeGreaterThan(Math.sqrt(997 / (3 * 999)) + 0.2);
  });

  test('counts are whole numbers from 1 on', () => {
    expect(() => welchBound(0, 3)).toThrow('n: expected a whole number >= 1, not 0');
    expect(() => welchMeanSquare(4, 1.5)).toThrow('m: expected a whole number >= 1, not 1.5');
  });
});

describe('welchMeanSquare', () => {
  test('is reached by tight frames: any regular polygon', () => {
    const lines = Array.from({ length: 7 }, (_, i) => [
      Math.cos((Math.PI * i) / 7),
      Math.sin((Math.PI * i) / 7),
    ]);
    const found = cosines(lines);
    const square = found.reduce((sum, cosine) => sum + cosine ** 2, 0) / found.length;
    expect(square).toBeCloseTo(welchMeanSquare(7, 2), 12);
  });
});
