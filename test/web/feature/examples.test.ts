/** Examples in groups, histograms of a latent, and the text that it is tried on. */
import { describe, expect, it } from 'vitest';
import type { Density, Example } from '../../../src/runs/schema.ts';
import { groupsOf, strongestOf } from '../../../web/src/feature/exampleGroups.ts';
import { activationBars, densityBars, labText } from '../../../web/src/feature/shape.ts';
import { beside } from '../../../web/src/feature/step.ts';

const example = (quantile: number, rank: number, activation = 1, tokens = ['a', ' b']): Example => ({
  latent: 0,
  kind: quantile < 0 ? 'top' : 'quantile',
  quantile,
  rank,
  document: 0,
  sequence: 0,
  position: 0,
  activation,
  tokens,
  activations: tokens.map(() => activation),
  focus: tokens.length - 1,
});

describe('examples', () => {
  it('come strongest first, then by tenths from the strongest, each by rank', () => {
    const groups = groupsOf([example(0, 0), example(9, 1), example(9, 0), example(-1, 0), example(7, 0)]);
    expect(groups.map(({ title }) => title)).toEqual(['Strongest', '1st tenth', '3rd tenth', '10th tenth']);
    expect(groups[1].examples.map(({ rank }) => rank)).toEqual([0, 1]);
  });

  it('are shaded by the strongest activation that is known', () => {
    expect(strongestOf([example(0, 0, 2)], 3)).toBe(3);
    expect(strongestOf([example(0, 0, 4)], 3)).toBe(4);
    expect(strongestOf([], undefined)).toBe(0);
  });

  it('give the lab the text of the strongest, without what is no text, and none that is too long', () => {
    const tokens = [' end', '.', '<s>', ' Once', ' upon'];
    expect(labText([example(9, 0), example(-1, 0, 1, tokens)])).toEqual({ text: 'Once upon' });
    expect(labText([example(-1, 0, 1, ['x'.repeat(1000)])])).toEqual({});
    expect(labText(undefined)).toEqual({});
  });
});

describe('histograms', () => {
  const density: Density = {
    edges: [-3, -2, -1, 0],
    dictionaries: [{ name: 'dictionary', counts: [5, 7, 1], silent: 2 }],
  };

  it('mark the bin of a density, the first and the last for what is beyond them, none of a dead latent', () => {
    expect(densityBars(density, 0.05).marked).toBe(1);
    expect(densityBars(density, 0.01).marked).toBe(1);
    expect(densityBars(density, 1e-9).marked).toBe(0);
    expect(densityBars(density, 1).marked).toBe(2);
    expect(densityBars(density, 0).marked).toBeUndefined();
    expect(densityBars(density, 0.05).labels).toHaveLength(3);
  });

  it('name the bins of activations up to the strongest', () => {
    const { labels, ends } = activationBars([1, 2, 3, 4], 2);
    expect(labels).toEqual(['0.00 to 0.50', '0.50 to 1.00', '1.00 to 1.50', '1.50 to 2.00']);
    expect(ends).toEqual(['0', '2.00']);
  });
});

describe('the next latent', () => {
  it('is that of the table where it is in one, else the next number, and none beyond the ends', () => {
    const order = [7, 2, 9];
    expect([beside(2, order, 10, 1), beside(2, order, 10, -1), beside(9, order, 10, 1)]).toEqual([
      9,
      7,
      undefined,
    ]);
    expect([beside(3, order, 10, 1), beside(3, undefined, 10, -1)]).toEqual([4, 2]);
    expect([beside(9, undefined, 10, 1), beside(0, undefined, 10, -1)]).toEqual([undefined, undefined]);
  });
});
