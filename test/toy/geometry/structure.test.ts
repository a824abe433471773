/** Blocks, polytopes, overlaps and neurons, where they are known. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { featureBlocks } from '../../../src/toy/geometry/blocks.ts';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { neuronGeometry } from '../../../src/toy/geometry/neurons.ts';
import { meanSquaredOverlap } from '../../../src/toy/geometry/overlaps.ts';
import { polytopeLines } from '../../../src/toy/geometry/polytopes.ts';
import { ANTIPRISM, polygon, rowsOf, TETRAHEDRON } from './shapes.ts';

/** Two shapes in dimensions of their own. */
function beside(a: number[][], b: number[][]): number[][] {
  const [left, right] = [a[0].length, b[0].length];
  return [
    ...a.map((row) => [...row, ...Array<number>(right).fill(0)]),
    ...b.map((row) => [...Array<number>(left).fill(0), ...row]),
  ];
}

describe('blocks', () => {
  it('finds what shares dimensions, and that regular shapes are tight', () => {
    const blocks = featureBlocks(
      rowsOf(...beside(beside([[1], [-1]], ANTIPRISM), [[0.7]]), Array(5).fill(1e-3)),
    );
    expect(blocks.map(({ features }) => features)).toEqual([[2, 3, 4, 5, 6, 7, 8, 9], [0, 1], [10]]);
    expect(blocks.map(({ rank }) => rank)).toEqual([3, 1, 1]);
    for (const { looseness } of blocks) expect(looseness).toBeLessThan(1e-12);
  });

  it('measures how far a block is from tight', () => {
    // W^T W = diag(3/2 4, 3/2): mean 3.75, off by 2.25 each way.
    const [block] = featureBlocks(rowsOf(...polygon(3).map(([x, y]) => [2 * x, y])));
    expect(block.rank).toBe(2);
    expect(block.looseness).toBeCloseTo(Math.hypot(2.25, 2.25) / Math.hypot(6, 1.5), 12);
  });
});

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

describe('overlaps', () => {
  it('are the Welch bound for tight frames, and 1 for random directions', () => {
    for (const shape of [TETRAHEDRON, ANTIPRISM, polygon(5)]) {
      const [n, m] = [shape.length, shape[0].length];
      expect(meanSquaredOverlap(rowsOf(...shape))).toBeCloseTo((n - m) / (n - 1), 12);
    }
    const values = new Float64Array(300 * 20);
    new Random(1).fillNormal(values, 1);
    expect(Math.abs(meanSquaredOverlap({ values, features: 300, hidden: 20 }) - 1)).toBeLessThan(0.03);
  });

  it('leave zero rows out', () => {
    expect(meanSquaredOverlap(rowsOf([1, 0], [1, 0], [0, 0]))).toBe(2);
    expect(meanSquaredOverlap(rowsOf([1, 0], [0, 0]))).toBeNaN();
  });
});

describe('neurons', () => {
  it('counts the features that each one serves', () => {
    const rows = rowsOf([1, 1, 3, 0], [0, -1, 1, 0], [0, 1, 0, 0]);
    const { participation, largestShare, monosemantic } = neuronGeometry(rows);
    expect(Array.from(participation.slice(0, 3))).toEqual([1, 3, 100 / 82]);
    expect(participation[3]).toBeNaN();
    expect(largestShare[2]).toBeCloseTo(0.9, 12);
    expect(monosemantic).toBe(1);
    expect(() => neuronGeometry({ values: [1], features: 1, hidden: 2 })).toThrow(RangeError);
  });

  it('has neurons of one feature where features have neurons of their own', () => {
    const rows = rowsOf([1, 0], [0, 2]);
    expect(neuronGeometry(rows).monosemantic).toBe(2);
    expect(Array.from(featureGeometry(rows).dimensionality)).toEqual([1, 1]);
  });
});
