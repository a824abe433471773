import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blocksOf, meanOfKnown, sumOverBlocks } from '../../src/evaluation/blocks.ts';

describe('blocks', () => {
  test('runs that cover the rows, of one length or one less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (rows, blocks) => {
        if (blocks > rows) {
          expect(() => blocksOf(rows, blocks)).toThrow(`from 1 to the ${rows} rows, not ${blocks}`);
          return;
        }
        const of = blocksOf(rows, blocks);
        const lengths = Array.from({ length: blocks }, (_, b) => of.filter((block) => block === b).length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        expect(lengths.reduce((a, b) => a + b)).toBe(rows);
        expect(of).toEqual(of.slice().sort());
      }),
    );
  });

  test('weighted sums by hand, and means of what is known', () => {
    expect(sumOverBlocks([1, 2, 10, 20, 100, 200], Float64Array.of(1, 0, 2))).toEqual(
      Float64Array.of(201, 402),
    );
    expect(meanOfKnown(Float64Array.of(1, NaN, 4))).toBe(2.5);
    expect(meanOfKnown(Float64Array.of(NaN))).toBeNaN();
  });
});
