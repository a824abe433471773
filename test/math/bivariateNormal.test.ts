/** The bivariate normal against closed forms, limits and an integral of another kind. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bothExceed } from '../../src/math/bivariateNormal.ts';
import { normalDensity, normalProbability } from '../../src/math/normal.ts';
import { integrate } from './normalProbability.ts';

describe('bothExceed', () => {
  it('at 0 is 1/4 + asin(r) / 2 pi (Sheppard 1899)', () => {
    for (const r of [-1, -0.99, -0.3, 0, 0.6, 0.999, 1])
      expect(bothExceed(0, 0, r)).toBeCloseTo(0.25 + Math.asin(r) / (2 * Math.PI), 12);
  });

  it('is the integral over the one normal of what the other then does', () => {
    const cases = [
      [1.6, 1.6, 0.5],
      [1.6, 2.3, -0.4],
      [-1, 0.5, 0.9],
      [0.3, -2, -0.95],
    ];
    for (const [x, y, r] of cases) {
      const exact = integrate(
        (z) => normalDensity(z) * normalProbability((r * z - y) / Math.sqrt(1 - r * r)),
        x,
        x + 10,
        4000,
      );
      expect(bothExceed(x, y, r)).toBeCloseTo(exact, 12);
    }
  });

  it('with what happens besides makes up the one probability, and has no sides', () => {
    const threshold = fc.double({ min: -3, max: 3, noNaN: true });
    const correlation = fc.double({ min: -0.99, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(threshold, threshold, correlation, (x, y, r) => {
        expect(bothExceed(x, y, r) + bothExceed(x, -y, -r)).toBeCloseTo(normalProbability(-x), 10);
        expect(bothExceed(x, y, r)).toBeCloseTo(bothExceed(y, x, r), 12);
      }),
    );
  });

  it('of one normal and itself is the rarer event, of one and its opposite what is left', () => {
    expect(bothExceed(1, 1.5, 1)).toBeCloseTo(normalProbability(-1.5), 6);
    expect(bothExceed(1, 0.5, -1)).toBeCloseTo(0, 6);
    expect(bothExceed(-1, -0.5, -1)).toBeCloseTo(normalProbability(1) - normalProbability(-0.5), 6);
  });

  it('knows what always and never happens, and refuses what is no correlation', () => {
    expect(bothExceed(-Infinity, 1, 0.5)).toBeCloseTo(normalProbability(-1), 12);
    expect(bothExceed(Infinity, -1, 0.5)).toBe(0);
    expect(() => bothExceed(0, 0, 1.1)).toThrow(/1.1 is not a correlation/);
  });
});
