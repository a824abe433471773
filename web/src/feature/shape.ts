/** How often and how strongly a latent fires, as histograms; and a text to try it on. It must not know how they are drawn. */
import { decimal, percent } from '../../../src/report/numbers.ts';
import type { Density, Example } from '../../../src/runs/schema.ts';

export interface Bars {
  readonly counts: readonly number[];
  readonly labels: readonly string[];
  readonly ends: readonly [string, string];
  readonly marked?: number;
  readonly name: string;
}

/** The latents of the dictionary by density, in bins of log10, with the bin of `density` marked. */
export function densityBars({ edges, dictionaries }: Density, density: number): Bars {
  const logarithm = Math.log10(density);
  const above = edges.findIndex((edge) => edge > logarithm);
  const bins = edges.length - 1;
  const text = (edge: number) => percent(10 ** edge);
  return {
    counts: dictionaries[0].counts,
    labels: Array.from({ length: bins }, (_, i) => `${text(edges[i])} to ${text(edges[i + 1])}`),
    ends: [text(edges[0]), text(edges[bins])],
    // What lies beyond the ends is in the first or the last bin.
    ...(density > 0 && { marked: above < 0 ? bins - 1 : Math.max(0, above - 1) }),
    name: 'Latents by how often they fire',
  };
}

/** Firings by activation, in even bins up to the strongest. */
export function activationBars(counts: readonly number[], maxActivation: number): Bars {
  const edge = (i: number) => decimal((i * maxActivation) / counts.length, 2);
  return {
    counts,
    labels: counts.map((_, i) => `${edge(i)} to ${edge(i + 1)}`),
    ends: ['0', decimal(maxActivation, 2)],
    name: 'Held-out tokens by activation',
  };
}

/** Longest text that is put into an address, in UTF-16 units. */
const LONGEST_TEXT = 400;

/** The text of the strongest example, for the lab; nothing where there is none. */
export function labText(examples: readonly Example[] | undefined): { text?: string } {
  const top = examples?.find(({ kind, rank }) => kind === 'top' && rank === 0);
  if (top === undefined) return {};
  // A special token such as `<s>` is no text.
  const start = top.tokens.findLastIndex((token, i) => i < top.focus && /^<[^>]*>$/.test(token)) + 1;
  const text = top.tokens.slice(start).join('').trim();
  return text === '' || text.length > LONGEST_TEXT ? {} : { text };
}
