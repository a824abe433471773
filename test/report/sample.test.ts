import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenly, sampleLatents } from '../../src/report/sample.ts';
import type { Feature } from '../../src/runs/schema.ts';

function feature(latent: number, density: number): Feature {
  const empty = {
    promotedTokens: [],
    promotedLogits: [],
    suppressedTokens: [],
    suppressedLogits: [],
    topTokens: [],
  };
  const firings = Math.ceil(density * 1e6);
  return { latent, density, firings, maxActivation: 1, meanActivation: 1, ...empty };
}

describe('sampleLatents', () => {
  it('takes as many as asked for, each once, all of them firing, in order', () => {
    const densities = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(densities, fc.integer({ min: 1, max: 250 }), (values, size) => {
        const features = values.map((density, latent) => feature(latent, density));
        const alive = features.filter(({ firings }) => firings > 0).length;
        const latents = sampleLatents(features, size).map(({ latent }) => latent);
        expect(latents).toHaveLength(Math.min(size, alive));
        expect(latents).toEqual([...new Set(latents)].sort((a, b) => a - b));
        expect(latents.every((latent) => features[latent].firings > 0)).toBe(true);
      }),
    );
  });

  it('takes all of the rare and the dense ones before it fills up with the common', () => {
    const features = [
      ...Array.from({ length: 1000 }, (_, i) => feature(i, 0.002)),
      ...Array.from({ length: 5 }, (_, i) => feature(1000 + i, 0.4)),
      ...Array.from({ length: 5 }, (_, i) => feature(1005 + i, 2e-6)),
    ];
    const chosen = sampleLatents(features, 50);
    expect(chosen.filter(({ density }) => density === 0.4)).toHaveLength(5);
    expect(chosen.filter(({ density }) => density === 2e-6)).toHaveLength(5);
    expect(chosen.filter(({ density }) => density === 0.002)).toHaveLength(40);
  });
});

describe('evenly', () => {
  it('takes the middles of equal parts', () => {
    expect(evenly([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2)).toEqual([2, 7]);
    expect(evenly([0, 1], 5)).toEqual([0, 1]);
  });
});
