import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bisect } from '../../src/math/bisect.ts';

describe('bisect', () => {
  test('finds where a cube reaches a level, to the last digits', () => {
    fc.assert(
      fc.property(fc.double({ min: -9, max: 9, noNaN: true }), (root) => {
        const found = bisect((x) => x ** 3, root ** 3, -10, 10);
        expect(Math.abs(found ** 3 - root ** 3)).toBeLessThan(1e-12);
      }),
    );
  });

  test('an end where the level is not within', () => {
    expect(bisect((x) => x, -1, 0, 1)).toBe(0);
    expect(bisect((x) => x, 2, 0, 1)).toBe(1);
    expect(bisect((x) => x, 5, 5, 5)).toBe(5);
  });

  test('a step is found where it is', () => {
    expect(bisect((x) => (x >= 0.3 ? 1 : 0), 0.5, 0, 1)).toBe(0.3);
  });

  test('no interval, no answer', () => {
    for (const [low, high] of [
      [1, 0],
      [0, Infinity],
      [NaN, 1],
    ])
      expect(() => bisect((x) => x, 0, low, high)).toThrow(RangeError);
  });
});
