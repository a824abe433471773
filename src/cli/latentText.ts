/** Latents as text: a list of them, or one with its examples, tokens marked by how strongly it fires. */
import { visible } from '../report/html.ts';
import { decimal, grouped, percent } from '../report/numbers.ts';
import type { Example, Feature } from '../runs/schema.ts';
import { facts, styled, table } from './text.ts';

export const SORTS = ['density', 'max', 'index'] as const;
export type Sort = (typeof SORTS)[number];

const ORDERS: Record<Sort, (a: Feature, b: Feature) => number> = {
  density: (a, b) => b.density - a.density || a.latent - b.latent,
  max: (a, b) => b.maxActivation - a.maxActivation || a.latent - b.latent,
  index: (a, b) => a.latent - b.latent,
};

/** The first `limit` latents in the order asked for, of those with `search` in a token they fire on or promote. */
export function selectLatents(
  features: readonly Feature[],
  { sort, limit, search }: { sort: Sort; limit: number; search?: string },
): { shown: Feature[]; matching: number } {
  const wanted = search?.toLowerCase();
  const matching = features.filter(
    ({ topTokens, promotedTokens }) =>
      wanted === undefined ||
      [...topTokens, ...promotedTokens].some((token) => token.toLowerCase().includes(wanted)),
  );
  return { shown: matching.sort(ORDERS[sort]).slice(0, Math.max(0, limit)), matching: matching.length };
}

export function latentList(
  features: readonly Feature[],
  { matching, total }: { matching: number; total: number },
): string {
  const rows = features.map(({ latent, density, maxActivation, topTokens, promotedTokens }) => [
    String(latent),
    percent(density),
    decimal(maxActivation, 2),
    words(topTokens, 5),
    words(promotedTokens, 5),
  ]);
  const head = ['latent', 'density', 'max', 'fires on', 'promotes'];
  const count = `${grouped(features.length)} of ${grouped(matching)} latents${
    matching === total ? '' : ` that match, of ${grouped(total)}`
  }`;
  if (features.length === 0) return count;
  return `${table(head, rows, ['right', 'right', 'right', 'left', 'left'])}\n\n${count}`;
}

function words(tokens: readonly string[], most: number): string {
  return tokens
    .slice(0, most)
    .map((token) => visible(token).trim() || '␣')
    .join(' ');
}

/** One latent: its figures, then its strongest examples, then examples from each tenth of its activations. */
export function latentPage(feature: Feature, examples: readonly Example[], colour: boolean): string {
  const { latent, density, firings, maxActivation, meanActivation } = feature;
  const logits = (tokens: readonly string[], values: readonly number[]) =>
    tokens.map((token, i) => `${visible(token).trim() || '␣'} ${decimal(values[i], 2)}`).join(', ') || '-';
  const head = facts([
    ['latent', String(latent)],
    ['density', firings === 0 ? 'never fired' : `${percent(density)} (${grouped(firings)} tokens)`],
    ['activation', `max ${decimal(maxActivation, 2)}, mean ${decimal(meanActivation, 2)}`],
    ['fires on', words(feature.topTokens, 10) || '-'],
    ['promotes', logits(feature.promotedTokens, feature.promotedLogits)],
    ['suppresses', logits(feature.suppressedTokens, feature.suppressedLogits)],
  ]);
  const sections = groups(examples).map(
    ({ title, members }) =>
      `${styled(title, '1', colour)}\n${members.map((one) => exampleLine(one, maxActivation, colour)).join('\n')}`,
  );
  return [head, ...sections].join('\n\n');
}

function groups(examples: readonly Example[]): { title: string; members: Example[] }[] {
  const quantiles = [-1, ...Array.from({ length: 10 }, (_, i) => 9 - i)];
  return quantiles
    .map((quantile) => ({
      title: quantile === -1 ? 'strongest' : `tenth ${quantile + 1} of its activations`,
      members: examples.filter((example) => example.quantile === quantile).sort((a, b) => a.rank - b.rank),
    }))
    .filter(({ members }) => members.length > 0);
}

function exampleLine(example: Example, maxActivation: number, colour: boolean): string {
  const { tokens, activations, focus, activation } = example;
  const text = tokens.map((token, i) =>
    marked(visible(token), maxActivation > 0 ? activations[i] / maxActivation : 0, i === focus, colour),
  );
  return `${decimal(activation, 2).padStart(7)}  ${text.join('')}`;
}

/** Background colours of the 256-colour palette, pale to deep, for quarters of the strongest activation. */
const SHADES = [230, 229, 222, 214];

/** A token by how strongly the latent fires on it; without colour only the one that the example is about. */
function marked(text: string, share: number, isFocus: boolean, colour: boolean): string {
  if (!colour) return isFocus ? `«${text}»` : text;
  if (!(share > 0)) return text;
  const shade = SHADES[Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))];
  return styled(text, `30;48;5;${shade}${isFocus ? ';1;4' : ''}`, colour);
}
