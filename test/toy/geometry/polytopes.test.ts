/** Lines at the fractions of polytopes, where they are and where they are not. */
import { describe, expect, it } from 'vitest';
import { polytopeLines } from '../../../src/toy/geometry/polytopes.ts';

describe('polytopes', () => {
  const many = (value: number, count: number) => Array<number>(count).fill(value);

  it('sees a line where features gather at a fraction and not beside it', () => {
    const lines = polytopeLines([
      ...many(0.5, 20),
      0.4875,
      ...many(0.4, 9),
      ...many(0.375, 12),
      ...many(0.3875, 7),
    ]);
    const found = Object.fromEntries(lines.map((line) => [line.polytope, line]));
    expect(found.digon).toEqual({
      polytope: 'digon',
      fraction: 0.5,
      count: 20,
      flanks: [1, 0],
      isLine: true,
    });
    expect(found.pentagon).toMatchObject({ count: 9, isLine: false });
    expect(found['square antiprism']).toMatchObject({ count: 12, flanks: [0, 7], isLine: false });
    expect(found.triangle).toMatchObject({ count: 0, isLine: false });
  });

  it('sees none in dimensionalities that are spread evenly', () => {
    const spread = Array.from({ length: 5000 }, (_, i) => i / 5000);
    expect(polytopeLines(spread).filter(({ isLine }) => isLine)).toEqual([]);
  });
});
