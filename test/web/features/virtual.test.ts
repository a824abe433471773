/** Which rows of a long table are drawn, and how it scrolls to one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsInSight, topThatShows } from '../../../web/src/features/virtual.ts';

const sight = fc.record({ top: fc.nat({ max: 1e6 }), height: fc.integer({ min: 1, max: 2000 }) });

describe('rows in sight', () => {
  it('are all that can be seen, and not many more', () => {
    fc.assert(
      fc.property(
        sight,
        fc.integer({ min: 1, max: 60 }),
        fc.nat({ max: 100_000 }),
        (seen, rowHeight, count) => {
          const { first, end } = rowsInSight(seen, rowHeight, count);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(count);
          expect(end - first).toBeLessThanOrEqual(Math.ceil(seen.height / rowHeight) + 17);
          const isSeen = (row: number) =>
            (row + 1) * rowHeight > seen.top && row * rowHeight < seen.top + seen.height;
          for (const row of [first - 1, end]) if (row >= 0 && row < count) expect(isSeen(row)).toBe(false);
        },
      ),
    );
  });
});

describe('scrolling to a row', () => {
  it('shows it whole, and moves nothing where it is to be seen', () => {
    fc.assert(
      fc.property(sight, fc.nat({ max: 100_000 }), (seen, row) => {
        const tall = { ...seen, height: seen.height + 34 };
        const top = topThatShows(row, tall, 34);
        expect(row * 34).toBeGreaterThanOrEqual(top);
        expect((row + 1) * 34).toBeLessThanOrEqual(top + tall.height);
        expect(topThatShows(row, { ...tall, top }, 34)).toBe(top);
      }),
    );
  });
});
