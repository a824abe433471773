/** First weights: of the right variance, and an instance's own. */
import { describe, expect, it } from 'vitest';
import { initialToyModel } from '../../../src/toy/models/initialise.ts';
import { encoderOf, magnitude, reluOutput } from '../../../src/toy/models/model.ts';

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
