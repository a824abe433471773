/** Cosines of pairs: of shapes that are known, with their sign. */
import { expect, it } from 'vitest';
import { pairAt } from '../../../src/math/pairList.ts';
import { distinctDirections, pairCosines } from '../../../src/toy/geometry/cosines.ts';
import { polygon, rowsOf, TETRAHEDRON } from './shapes.ts';

it('are those of a pentagon and of a tetrahedron, whatever the lengths', () => {
  const pentagon = pairCosines(rowsOf(...polygon(5).map((row, i) => row.map((x) => (i + 1) * x))));
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < i; j++)
      expect(pentagon[pairAt(i, j)]).toBeCloseTo(Math.cos((2 * Math.PI * (i - j)) / 5), 12);
  for (const cosine of pairCosines(rowsOf(...TETRAHEDRON))) expect(cosine).toBeCloseTo(-1 / 3, 12);
});

it('are 0 beside a row of zeros', () => {
  expect([...pairCosines(rowsOf([1, 0], [0, 0], [2, 0]))]).toEqual([0, 1, 0]);
});

it('above .95 make one direction; opposite ones are two', () => {
  const rows = rowsOf([1, 0], [2, 0.1], [-1, 0], [0, 1], [0.1, 3], [1, 1]);
  const cosines = pairCosines(rows);
  expect(distinctDirections(cosines, [0, 1, 2, 3, 4, 5])).toBe(4);
  expect(distinctDirections(cosines, [1, 4])).toBe(2);
  expect(distinctDirections(cosines, [0, 1])).toBe(1);
  expect(distinctDirections(cosines, [])).toBe(0);
});
