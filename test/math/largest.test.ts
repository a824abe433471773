import fc from 'fast-check';
import { expect, it } from 'vitest';
import { largest } from '../../src/math/largest.ts';

it('gives the places that a stable sort would, without what is no number', () => {
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(NaN), fc.constant(-Infinity));
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 0, max: 6 }), (values, most) => {
      const sorted = [...values.keys()]
        .filter((i) => values[i] > -Infinity)
        .sort((a, b) => values[b] - values[a]);
      expect(largest(values.length, most, (i) => values[i])).toEqual(sorted.slice(0, most));
    }),
  );
});
