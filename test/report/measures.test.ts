import { describe, expect, it } from 'vitest';
import { reading } from '../../src/report/reading.ts';

const at = (low: number | null, high: number | null, name = 'a') => ({ name, value: low, low, high });

describe('reading a measure against its nulls', () => {
  it('follows from whether the intervals overlap and which way is better', () => {
    expect(reading(at(0.8, 0.9), [at(0.1, 0.2)], 'higher')).toBe('better than the null');
    expect(reading(at(0.8, 0.9), [at(0.1, 0.2)], 'lower')).toBe('worse than the null');
    expect(reading(at(0.8, 0.9), [at(0.1, 0.2)])).toBe('differs from the null');
    expect(reading(at(0.8, 0.9), [at(0.9, 1)], 'higher')).toBe('overlaps the null');
    expect(reading(at(0.8, 0.9), [at(0.7, 0.75, 'a'), at(0.95, 1, 'b')], 'higher')).toBe(
      'better than a; worse than b',
    );
    expect(reading(at(0.8, 0.9), [at(0, 0.1), at(0.2, 0.3)], 'higher')).toBe('better than both nulls');
    expect(reading(at(0.8, 0.9), [])).toBe('');
  });

  it('does not judge what is not identified', () => {
    expect(reading(at(0.8, 0.9), [at(null, null)], 'higher')).toBe('cannot be told from the null');
    expect(reading(at(null, null), [at(0.1, 0.2)], 'higher')).toBe('cannot be told from the null');
  });

  it('does not compare across models', () => {
    const other = { ...at(5, 6, 'other model'), comparable: false };
    expect(reading(at(0.8, 0.9), [at(1, 2, 'a'), other], 'lower')).toBe(
      'better than a; not comparable with other model',
    );
  });
});
