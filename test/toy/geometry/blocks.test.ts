/** Blocks of features, of shapes whose blocks are known. */
import { describe, expect, it } from 'vitest';
import { featureBlocks } from '../../../src/toy/geometry/blocks.ts';
import { ANTIPRISM, polygon, rowsOf } from './shapes.ts';

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
