/** Rates from step to step. */
import { describe, expect, it } from 'vitest';
import { rateShare } from '../../../src/toy/models/schedule.ts';

describe('the schedule', () => {
  it('rises linearly, then stays or falls to its end', () => {
    const shares = (kind: 'constant' | 'cosine' | 'linear') =>
      [1, 5, 10, 11, 61, 110].map((step) => rateShare({ kind, warmupSteps: 10 }, step, 110));
    expect(shares('constant')).toEqual([0.1, 0.5, 1, 1, 1, 1]);
    expect(shares('linear')).toEqual([0.1, 0.5, 1, 1, 0.5, expect.closeTo(0.01, 12)]);
    expect(shares('cosine')).toEqual([0.1, 0.5, 1, 1, expect.closeTo(0.525, 12), expect.closeTo(0.05, 3)]);
    expect(rateShare({ kind: 'constant', warmupSteps: 0 }, 1, 1)).toBe(1);
  });
});
