/** The phase diagram's theory, its inputs, and the losses that a model is held against. */
import { describe, expect, it } from 'vitest';
import { antipodalBoundary, twoFeatureLoss } from '../../../src/toy/bounds/twoFeatures.ts';
import { baselines } from '../../../web/src/playground/baselines.ts';
import {
  bestStrategy,
  CELL_ROWS,
  CELLS,
  cellInputs,
  predicted,
  strategyLosses,
  strategyOf,
} from '../../../web/src/playground/phase.ts';

describe('the theory', () => {
  it('predicts in each cell the strategy that costs least', () => {
    for (const cell of CELLS) {
      const losses = strategyLosses(cell);
      const least = Math.min(...Object.values(losses));
      expect(losses[predicted(cell) as keyof typeof losses]).toBeCloseTo(least, 12);
    }
  });

  it('says where two cost the same', () => {
    for (const importance of [0.2, 1, 4]) {
      const { first, second, pair } = strategyLosses({
        importance,
        probability: antipodalBoundary(importance),
      });
      expect(pair).toBeCloseTo(Math.min(first, second), 12);
    }
  });
});

describe('what models do', () => {
  it('is told from their weights', () => {
    expect(strategyOf([1, -1])).toBe('pair');
    expect(strategyOf([-1, 0.2])).toBe('first');
    expect(strategyOf([0.1, 1.2])).toBe('second');
    expect(strategyOf([1, 1])).toBe('neither');
    expect(strategyOf([0.1, 0])).toBe('neither');
  });

  it('is what the one with the lowest loss does', () => {
    const [weight, bias] = [Float32Array.of(1, 0, 1, -1), new Float32Array(4)];
    expect(bestStrategy({ importance: 1, probability: 0.05 }, weight, bias)).toBe('pair');
    expect(bestStrategy({ importance: 0.1, probability: 1 }, weight, bias)).toBe('first');
  });
});

it('inputs of a cell stand for its distribution', () => {
  const cells = [
    { importance: 0.5, probability: 0.3 },
    { importance: 2, probability: 1 },
  ];
  const { x, weights } = cellInputs(cells);
  const [w, bias] = [
    [0.9, -0.7],
    [0.05, -0.1],
  ];
  cells.forEach((cell, c) => {
    let [total, loss] = [0, 0];
    for (let row = c * CELL_ROWS; row < (c + 1) * CELL_ROWS; row++) {
      const own = x.subarray(2 * row, 2 * row + 2);
      const h = own[0] * w[0] + own[1] * w[1];
      const error = (i: number) => (own[i] - Math.max(0, h * w[i] + bias[i])) ** 2;
      total += weights[row];
      loss += (weights[row] * (error(0) + cell.importance * error(1))) / 2;
    }
    expect(total).toBeCloseTo(1, 5);
    // Eight points of an amplitude against forty.
    expect(loss / twoFeatureLoss(w, bias, cell)).toBeCloseTo(1, 1);
  });
});

describe('baselines', () => {
  const firing = { features: 5, probability: 0.1, correlation: 0, setSize: 2 };
  const dropped = 0.1 / 3 - 0.01 / 4;
  const paired = 0.01 / 6;

  it('are sums of what is dropped and of what interferes', () => {
    const { nothing, alone, pairs } = baselines(firing, new Float32Array(5).fill(1), 2);
    expect(nothing).toBeCloseTo(dropped, 12);
    expect(alone).toBeCloseTo((3 * dropped) / 5, 12);
    expect(pairs).toBeCloseTo((4 * paired + dropped) / 5, 12);
  });

  it('keep the most important alone where features are dense', () => {
    const dense = { ...firing, probability: 1 };
    const { alone, pairs } = baselines(dense, [1, 1, 0.1, 0.1, 0.1], 2);
    expect(pairs).toBe(alone);
  });

  it('are none of pairs where features are correlated', () => {
    expect(baselines({ ...firing, correlation: 0.5 }, new Float32Array(5).fill(1), 2).pairs).toBeUndefined();
  });
});
