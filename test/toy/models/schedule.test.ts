/** Rates and first weights. */
import { describe, expect, it } from 'vitest';
import { initialToyModel } from '../../../src/toy/models/initialise.ts';
import { encoderOf, magnitude, reluOutput } from '../../../src/toy/models/model.ts';
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

describe('first weights', () => {
  const sd = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

  it('have the variances of their fans', () => {
    const seeds = Array.from({ length: 10 }, (_, k) => k);
    const xavier = initialToyModel(magnitude(100, 40), seeds, 'xavier');
    expect(sd(xavier.encoder) / Math.sqrt(2 / (4000 + 400))).toBeCloseTo(1, 1);
    expect(sd(xavier.decoder!) / Math.sqrt(2 / (4000 + 1000))).toBeCloseTo(1, 1);
    expect(Math.max(...xavier.bias!.map(Math.abs))).toBe(0);
    const scaled = initialToyModel(reluOutput(100, 40), seeds, 'scaled');
    expect(sd(scaled.encoder) * Math.sqrt(40)).toBeCloseTo(1, 1);
    expect(Math.max(...scaled.bias!.map(Math.abs))).toBe(0);
    expect(scaled.decoder).toBeUndefined();
  });

  it('of an instance are those of its seed', () => {
    const [a, b] = [
      [1, 2],
      [2, 3],
    ].map((seeds) => initialToyModel(reluOutput(6, 2), seeds, 'scaled'));
    expect(encoderOf(a, 1)).toEqual(encoderOf(b, 0));
    expect(encoderOf(a, 0)).not.toEqual(encoderOf(a, 1));
    expect(() => encoderOf(a, 2)).toThrow(/instance 2: the model has 2/);
  });
});
