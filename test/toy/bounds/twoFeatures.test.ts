/** The boundary and the losses that it follows from. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import {
  antipodalBoundary,
  droppedLoss,
  interferenceLoss,
  twoFeatureLoss,
} from '../../../src/toy/bounds/twoFeatures.ts';

const dropped = (p: number) => {
  // The first feature by itself, the second at its mean.
  return { w: [1, 0], bias: [0, p / 2] };
};
const pair = { w: [1, -1], bias: [0, 0] };

describe('twoFeatureLoss', () => {
  it('is what the derivation has for a dropped feature and for an antipodal pair', () => {
    for (const [importance, probability] of [
      [0.5, 0.3],
      [1, 0.05],
      [3, 0.9],
    ]) {
      const { w, bias } = dropped(probability);
      const p = probability;
      const left = (importance * droppedLoss(p)) / 2;
      expect(twoFeatureLoss(w, bias, { importance, probability })).toBeCloseTo(left, 3);
      const interference = ((1 + importance) * interferenceLoss(p ** 2)) / 2;
      expect(twoFeatureLoss(pair.w, pair.bias, { importance, probability })).toBeCloseTo(interference, 3);
    }
  });

  it('is the mean over samples', () => {
    const random = new Random(1, 'samples');
    const [w, bias, cell] = [[0.9, -0.7], [0.05, -0.1], { importance: 2, probability: 0.4 }];
    const count = 400_000;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const x = [0, 1].map(() => (random.uniform() < cell.probability ? random.uniform() : 0));
      const h = x[0] * w[0] + x[1] * w[1];
      const squares = x.map((value, j) => (value - Math.max(0, h * w[j] + bias[j])) ** 2);
      sum += (squares[0] + cell.importance * squares[1]) / 2;
    }
    expect(twoFeatureLoss(w, bias, cell) / (sum / count)).toBeCloseTo(1, 2);
  });
});

it('at the boundary the two cost the same, the less important feature being the one to drop', () => {
  for (const r of [0.1, 0.4, 1]) {
    const cell = { importance: r, probability: antipodalBoundary(r) };
    const { w, bias } = dropped(cell.probability);
    expect(twoFeatureLoss(w, bias, cell)).toBeCloseTo(twoFeatureLoss(pair.w, pair.bias, cell), 3);
    // Of two features it does not matter which is called the first.
    expect(antipodalBoundary(1 / r)).toBeCloseTo(antipodalBoundary(r), 12);
  }
});
