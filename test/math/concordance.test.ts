/** Concordance against all comparisons one by one, and the area under the ROC curve. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concordance } from '../../src/math/concordance.ts';

function oneByOne(predictor: number[], outcome: number[]): number {
  let [right, compared] = [0, 0];
  for (let i = 0; i < predictor.length; i++) {
    for (let j = 0; j < i; j++) {
      if (predictor[i] === predictor[j]) continue;
      compared++;
      right += (1 + Math.sign(predictor[i] - predictor[j]) * Math.sign(outcome[i] - outcome[j])) / 2;
    }
  }
  return right / compared;
}

describe('concordance', () => {
  it('is what all comparisons one by one say, ties and all', () => {
    const value = fc.integer({ min: -4, max: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { maxLength: 40 }), (entries) => {
        const [a, b] = [entries.map(([x]) => x), entries.map(([, y]) => y / 3)];
        const [found, exact] = [concordance(a, b), oneByOne(a, b)];
        if (Number.isNaN(exact)) expect(found).toBeNaN();
        else expect(found).toBeCloseTo(exact, 12);
      }),
    );
  });

  it('is 1 of the same order, 0 of the opposite, 1/2 of an outcome that is always the same', () => {
    expect(concordance([1, 5, 2], [10, 30, 20])).toBe(1);
    expect(concordance([1, 5, 2], [-10, -30, -20])).toBe(0);
    expect(concordance([1, 5, 2], [7, 7, 7])).toBe(0.5);
  });

  it('of two classes is the area under the ROC curve', () => {
    // Of 2 x 3 comparisons of a 1 with a 0, worked by hand: 0.8 wins all, 0.4 wins one and ties one.
    expect(concordance([0, 0, 1, 1, 0], [0.1, 0.4, 0.8, 0.4, 0.6])).toBeCloseTo(4.5 / 6, 12);
  });

  it('has no value where nothing was predicted, and refuses lists of different lengths', () => {
    expect(concordance([1, 1], [1, 2])).toBeNaN();
    expect(() => concordance([1], [1, 2])).toThrow(RangeError);
  });
});
