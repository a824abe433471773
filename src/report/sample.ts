/** Which latents and examples a report shows. It must not know how they look. */

import type { Example, Feature } from '../runs/schema.ts';

/** A latent that fires on more than this share of tokens is dense. */
export const DENSE_FREQUENCY = 0.1;

/**
 * About `size` latents that fire, spread over density: the latents are put into bins of half a power of ten, each
 * bin gives equally many as far as it has them, and within a bin they are taken at equal distances. It is not a
 * random sample: bins with few latents are over-represented. Ordered by latent.
 */
export function sampleLatents(features: readonly Feature[], size: number): Feature[] {
  const bins = new Map<number, Feature[]>();
  const alive = features.filter((feature) => feature.firings > 0);
  for (const feature of alive.sort((a, b) => a.density - b.density || a.latent - b.latent)) {
    const key = Math.floor(2 * Math.log10(feature.density));
    bins.set(key, [...(bins.get(key) ?? []), feature]);
  }
  const smallestFirst = [...bins.values()].sort((a, b) => a.length - b.length);
  const chosen: Feature[] = [];
  for (const [i, bin] of smallestFirst.entries()) {
    const quota = Math.round((size - chosen.length) / (smallestFirst.length - i));
    chosen.push(...evenly(bin, quota));
  }
  return chosen.sort((a, b) => a.latent - b.latent);
}

/** `count` items at equal distances, or all where there are no more. */
export function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]);
}

/** The examples of one latent that are shown: the first `top` ones, and the first `each` of every quantile. */
export interface ShownExamples {
  readonly top: readonly Example[];
  /** Index 0 to 9, 9 the strongest tenth. */
  readonly quantiles: readonly (readonly Example[])[];
}

/** Groups `examples` by latent, in order of rank. */
export function examplesByLatent(
  examples: readonly Example[],
  { top, each }: { top: number; each: number },
): Map<number, ShownExamples> {
  const groups = new Map<number, Example[]>();
  for (const example of examples) {
    const group = groups.get(example.latent);
    if (group) group.push(example);
    else groups.set(example.latent, [example]);
  }
  const shown = new Map<number, ShownExamples>();
  for (const [latent, group] of groups) {
    const ofQuantile = (quantile: number) =>
      group.filter((example) => example.quantile === quantile).sort((a, b) => a.rank - b.rank);
    shown.set(latent, {
      top: ofQuantile(-1).slice(0, top),
      quantiles: Array.from({ length: 10 }, (_, quantile) => ofQuantile(quantile).slice(0, each)),
    });
  }
  return shown;
}
