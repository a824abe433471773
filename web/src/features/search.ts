/**
 * Full-text search: which latents have all words of a query in their examples or among their tokens, those first that fire hardest
 * on them. It must not know how results are shown.
 */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { wordsOf } from '../../../src/interpretation/atlas/wordsOf.ts';
import { WORD_COLUMNS } from '../../../src/runs/atlasSchema.ts';
import { FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import { hasFile, placesHolding, readColumnsWhere } from '../data/tables.ts';
import type { Latents } from './latents.ts';

/** A shorter beginning would be that of too many words. */
const SHORTEST_BEGINNING = 3;

export type Query =
  | { readonly kind: 'all' }
  /** `#12`, or the number alone. */
  | { readonly kind: 'latent'; readonly latent: number }
  | { readonly kind: 'words'; readonly words: readonly Wanted[] };

/** Words from one to another, in the order of code units. */
export interface Wanted {
  readonly from: string;
  readonly to: string;
}

/** The last word may be still in the writing: it stands for all that begin with it, unless a space follows it. */
export function parseQuery(text: string): Query {
  const number = /^\s*#?\s*(\d{1,9})\s*$/.exec(text);
  if (number) return { kind: 'latent', latent: Number(number[1]) };
  const found = wordsOf(text);
  if (found.length === 0) return { kind: 'all' };
  const words = found.map(({ word, end }): Wanted => {
    const begun = end === text.length && word.length >= SHORTEST_BEGINNING;
    return { from: word, to: begun ? `${word}\uffff` : word };
  });
  return { kind: 'words', words };
}

/** Latents with a word, and how strongly each fires on it, from 0 to 1. */
export type Strengths = ReadonlyMap<number, number>;

/** The latents that are in all of `found`, by the sum of their strengths, then by number. */
export function ranked(found: readonly Strengths[]): number[] {
  const [least, ...others] = [...found].sort((a, b) => a.size - b.size);
  const sums: { latent: number; sum: number }[] = [];
  for (const [latent, strength] of least ?? []) {
    if (!others.every((one) => one.has(latent))) continue;
    sums.push({ latent, sum: others.reduce((sum, one) => sum + one.get(latent)!, strength) });
  }
  return sums.sort((a, b) => b.sum - a.sum || a.latent - b.latent).map(({ latent }) => latent);
}

/** Rows of `latents` that `query` asks for, best first; undefined where it asks for all. */
export async function searchLatents(
  run: ListedRun,
  latents: Latents,
  query: Query,
): Promise<Uint32Array | undefined> {
  if (query.kind === 'all') return undefined;
  if (query.kind === 'latent') {
    const row = latents.rowOf.get(query.latent);
    return Uint32Array.from(row === undefined ? [] : [row]);
  }
  const found = await Promise.all(query.words.map((wanted) => strengthsOf(run, latents, wanted)));
  const rows = ranked(found).map((latent) => latents.rowOf.get(latent));
  return Uint32Array.from(rows.filter((row) => row !== undefined));
}

async function strengthsOf(run: ListedRun, latents: Latents, wanted: Wanted): Promise<Strengths> {
  const [places, words] = await Promise.all([
    placesHolding(run, 'features.parquet', FEATURE_COLUMNS, ['topTokens', 'promotedTokens'], wanted),
    hasWords(run)
      ? readColumnsWhere(run, 'words.parquet', WORD_COLUMNS, ['latent', 'strength'], {
          key: 'word',
          ...wanted,
        })
      : { latent: new Float64Array(), strength: new Float64Array() },
  ]);
  const strengths = new Map<number, number>();
  for (const place of places) strengths.set(latents.latent[place], 0);
  for (let i = 0; i < words.latent.length; i++) {
    const latent = words.latent[i];
    const before = strengths.get(latent);
    if (before === undefined || words.strength[i] > before) strengths.set(latent, words.strength[i]);
  }
  return strengths;
}

/** Whether the words of its examples can be searched, and not its tokens only. */
export function hasWords(run: ListedRun): boolean {
  return hasFile(run, 'words.parquet');
}
