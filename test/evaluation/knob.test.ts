/** Elasticities against power laws, whose exponent they are. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { elasticities, keepsToK, knobOf } from '../../src/evaluation/knob.ts';

it('finds the exponent of a power law between neighbours, in whatever order the arms come', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 6 }),
      (exponent, values) => {
        const points = values.map((asked) => ({
          arm: `${asked}`,
          knob: { name: 'coefficient' as const, asked },
          rest: 'same',
          l0: 30 * asked ** exponent,
        }));
        const found = elasticities(points);
        const sorted = [...values].sort((a, b) => a - b).map(String);
        expect(found.map(({ from, to }) => [from, to])).toEqual(
          sorted.slice(1).map((to, i) => [sorted[i], to]),
        );
        for (const { value, stuck } of found) {
          // Neighbours far up are near each other in logarithms, where rounding counts.
          expect(value).toBeCloseTo(exponent, 6);
          if (Math.abs(Math.abs(exponent) - 0.1) > 1e-6) expect(stuck).toBe(Math.abs(exponent) < 0.1);
        }
      },
    ),
  );
});

it('compares nothing that differs in more than the knob, and divides by no zero', () => {
  const point = (asked: number, l0: number, rest = 'a', name: 'k' | 'coefficient' = 'k') => ({
    arm: `${name}${asked}${rest}`,
    knob: { name, asked },
    rest,
    l0,
  });
  expect(elasticities([point(1, 1), point(2, 2, 'b'), point(2, 2, 'a', 'coefficient')])).toEqual([]);
  expect(elasticities([point(0, 3), point(2, 2), point(3, 0)])).toEqual([]);
  // Two seeds with one knob are neighbours at no distance.
  expect(elasticities([point(2, 3), point(2, 3)])).toEqual([]);
});

it('knows the knob of a family', () => {
  expect(knobOf({ family: 'topk', latents: 8, k: 3 })).toEqual({ name: 'k', asked: 3 });
  expect(knobOf({ family: 'jumpreluTarget', latents: 8, coefficient: 1, target: 20 })).toEqual({
    name: 'target',
    asked: 20,
  });
  expect(knobOf({ family: 'other', latents: 8 })).toBeUndefined();
});

it('forgives L0 a tenth of k', () => {
  expect([28.9, 35.1].map((l0) => keepsToK(32, l0))).toEqual([true, true]);
  expect([28.7, 35.3].map((l0) => keepsToK(32, l0))).toEqual([false, false]);
});
