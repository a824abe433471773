/** What was found, by hand; and chance. */
import { describe, expect, it } from 'vitest';
import { chanceRecovery, recoveryOf, SAME, spreads } from '../../../web/src/playground/recovery.ts';

const features = [2, 0, 0, 1, -1, 0];

describe('recoveryOf', () => {
  it('counts what is found, copied and invented, both ways', () => {
    const { counts, nearestFeature, nearestLatent } = recoveryOf(features, [1, 0, 1, 0.1, 0, 5, 0.7, 0.7], 2);
    expect(counts.found).toBe(2);
    expect(counts.copies).toBe(1);
    expect(counts.invented).toBe(1);
    expect([...nearestLatent]).toEqual([0, 2, 2]);
    expect([...nearestFeature]).toEqual([0, 0, 1, 0]);
  });

  it('takes no antipode for the feature', () => {
    expect(recoveryOf([1, 0], [-1, 0], 2).counts).toMatchObject({ found: 0, invented: 1 });
  });

  it('of no latents finds nothing', () => {
    expect(recoveryOf(features, [], 2).counts).toMatchObject({ found: 0, invented: 0, copies: 0 });
  });
});

it('chance in the plane: a direction is within so many degrees of a feature', () => {
  const latents = 4;
  const { found, invented } = chanceRecovery([1, 0], 2, { latents, seed: 1, draws: 4000 });
  const each = Math.acos(SAME) / Math.PI;
  const expected = 1 - (1 - each) ** latents;
  expect(Math.abs(found.mean - expected)).toBeLessThan(5 * Math.sqrt(0.25 / 4000));
  expect(Math.abs(invented.mean - latents * (1 - each))).toBeLessThan(0.1);
});

it('spreads are means with quantiles', () => {
  const counts = (found: number) => ({ found, invented: 0, copies: 0, meanOfFeatures: 1, meanOfLatents: 1 });
  const { found } = spreads([counts(1), counts(3)]);
  expect(found).toEqual({ mean: 2, low: 1.05, high: 2.95 });
});
