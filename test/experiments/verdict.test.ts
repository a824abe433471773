/** From findings to verdicts: what is held, what is not, and what nobody can say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, overSeeds } from '../../src/experiments/verdict.ts';
import type { Finding } from '../../src/runs/entrySchema.ts';

const finding = (low: number | null, high: number | null, predicted?: Finding['predicted']): Finding => ({
  name: 'x',
  value: low === null || high === null ? 1 : (low + high) / 2,
  low,
  high,
  n: 3,
  ...(predicted && { predicted }),
});

describe('judge', () => {
  it.each([
    ['held', finding(1, 2, { low: 0, high: 3 })],
    ['held', finding(1, 2, { low: 1 })],
    ['did not hold', finding(1, 2, { low: 3 })],
    ['did not hold', finding(1, 2, { high: 0.5 })],
    ['undecided', finding(1, 2, { low: 1.5 })],
    ['undecided', finding(0, 9, { low: 3, high: 4 })],
    ['undecided', finding(null, null, { low: 0 })],
  ])('says %s', (verdict, one) => {
    expect(judge([one]).verdict).toBe(verdict);
  });

  it('needs all to hold, and one to fail, in whatever order', () => {
    const held = finding(1, 2, { low: 0 });
    const open = finding(1, 2, { low: 1.5 });
    const failed = finding(1, 2, { low: 3 });
    const aside = finding(1, 2);
    const verdictOf = { held: 0, undecided: 1, 'did not hold': 2 };
    const some = fc.array(fc.constantFrom(held, open, failed, aside), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(some, (findings) => {
        const worst = Math.max(...findings.map((one) => [held, open, failed].indexOf(one)));
        if (worst < 0) expect(() => judge(findings)).toThrow(/nothing was predicted/);
        else expect(verdictOf[judge(findings).verdict]).toBe(worst);
      }),
    );
  });

  it('names what the verdict rests on, with its interval and what was predicted', () => {
    expect(judge([finding(1, 2, { low: 3 })]).because).toBe('x is 1.5 [1, 2], predicted at least 3');
  });
});

describe('overSeeds', () => {
  it('gives mean, interval and count of what is finite', () => {
    const { value, low, high, n } = overSeeds('x', [1, 2, NaN, 3]);
    expect([value, n]).toEqual([2, 3]);
    expect(low).toBeCloseTo(2 - 4.3027 / Math.sqrt(3), 4);
    expect(high).toBeCloseTo(2 + 4.3027 / Math.sqrt(3), 4);
  });

  it('has no interval of one seed, and no value of none', () => {
    expect(overSeeds('x', [1])).toMatchObject({ value: 1, low: null, high: null, n: 1 });
    expect(overSeeds('x', [])).toMatchObject({ value: null, low: null, high: null, n: 0 });
  });
});
