/** Points by place, against a look at all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PointGrid } from '../../../web/src/map/pointGrid.ts';

const coordinate = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const points = fc.array(fc.tuple(coordinate, coordinate), { maxLength: 60 });

describe('a grid of points', () => {
  it('finds the nearest within a radius, the first of equals', () => {
    fc.assert(
      fc.property(
        points,
        fc.integer({ min: -25, max: 25 }),
        fc.integer({ min: -25, max: 25 }),
        fc.nat({ max: 30 }),
        (all, x, y, radius) => {
          const grid = new PointGrid(
            all.map(([one]) => one),
            all.map(([, one]) => one),
          );
          let [best, at] = [radius ** 2, -1];
          for (const [i, [px, py]] of all.entries()) {
            const distance = (px - x) ** 2 + (py - y) ** 2;
            if (distance < best || (distance === best && at < 0)) [best, at] = [distance, i];
          }
          expect(grid.nearest({ x, y }, radius)).toBe(at);
        },
      ),
    );
  });

  it('finds those in a rectangle, its edges with it', () => {
    fc.assert(
      fc.property(points, fc.tuple(coordinate, coordinate, coordinate, coordinate), (all, [a, b, c, d]) => {
        fc.pre([a, b, c, d].every(Number.isFinite));
        const box = { x0: Math.min(a, c), y0: Math.min(b, d), x1: Math.max(a, c), y1: Math.max(b, d) };
        const grid = new PointGrid(
          all.map(([one]) => one),
          all.map(([, one]) => one),
        );
        const slow = all.flatMap(([x, y], i) =>
          x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1 ? [i] : [],
        );
        expect(grid.within(box)).toEqual(slow);
      }),
    );
  });
});
