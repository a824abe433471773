import { describe, expect, test } from 'vitest';
import { zipfBetween, zipfOfL0 } from '../../src/toy/frequencies.ts';

describe('Zipf probabilities', () => {
  test('between two ends: the ends, and steps in the ratio of powers', () => {
    const p = zipfBetween({ features: 100, exponent: 0.5, most: 0.4, least: 5e-4 });
    expect(p[0]).toBeCloseTo(0.4, 15);
    expect(p[99]).toBeCloseTo(5e-4, 15);
    const power = (i: number) => i ** -0.5;
    expect((p[3] - p[8]) / (p[0] - p[3])).toBeCloseTo((power(4) - power(9)) / (power(1) - power(4)), 10);
    expect([...zipfBetween({ features: 1, exponent: 1, most: 0.3, least: 0.1 })]).toEqual([0.3]);
  });

  test('of an L0: its sum, and powers', () => {
    const p = zipfOfL0({ features: 50, exponent: 1, l0: 3 });
    expect(p.reduce((sum, q) => sum + q, 0)).toBeCloseTo(3, 12);
    expect(p[0] / p[9]).toBeCloseTo(10, 12);
  });

  test('what are no probabilities is refused', () => {
    expect(() => zipfBetween({ features: 5, exponent: 1, most: 1.2, least: 0 })).toThrow(/most <= 1/);
    expect(() => zipfOfL0({ features: 5, exponent: 1, l0: 4 })).toThrow(/would fire with probability 1.75/);
  });
});
