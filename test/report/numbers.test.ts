import { describe, expect, it } from 'vitest';
import { decimal, duration, grouped, percent, scaled } from '../../src/report/numbers.ts';

describe('numbers', () => {
  it('do not show what is not zero as zero', () => {
    expect(decimal(0.12345, 3)).toBe('0.123');
    expect(decimal(0.00021, 3)).toBe('0.00021');
    expect(decimal(4e-5, 3)).toBe('4.0 × 10⁻⁵');
    expect(decimal(0, 3)).toBe('0.000');
    expect(decimal(-0, 3)).toBe('0.000');
  });

  it('have the minus sign, not the hyphen', () => {
    expect(decimal(-0.5, 2)).toBe('−0.50');
    expect(decimal(-2e-5, 3)).toBe('−2.0 × 10⁻⁵');
  });

  it('are grouped and scaled', () => {
    expect(grouped(2_210_000)).toBe('2,210,000');
    expect(scaled(999)).toBe('999');
    expect(scaled(999_600)).toBe('1 M');
    expect(scaled(5.92e12)).toBe('5.92 T');
    expect(scaled(0)).toBe('0');
  });

  it('are percentages with two digits', () => {
    expect([0, 1, 0.1, 0.003, 0.996, 1e-9].map(percent)).toEqual([
      '0 %',
      '100 %',
      '10 %',
      '0.30 %',
      '99.6 %',
      '1.0 × 10⁻⁷ %',
    ]);
  });

  it('are durations that carry over', () => {
    expect([4.21, 9.97, 59.6, 96.4, 3599.7, 3840, 86_400].map(duration)).toEqual([
      '4.2 s',
      '10 s',
      '1 min 00 s',
      '1 min 36 s',
      '1 h 00 min',
      '1 h 04 min',
      '24 h 00 min',
    ]);
  });
});
