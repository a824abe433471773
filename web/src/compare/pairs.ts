/** Latents of a run beside their nearest of another: what was matched, which pairs are shown, in which order. It must not know how they are drawn. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import {
  MATCH_COLUMNS,
  matchesSchema,
  type StoredComparison,
  type StoredMatches,
} from '../../../src/runs/matchesSchema.ts';
import { fetchJson, fileAddress } from '../data/fetch.ts';
import { hasFile, readRows } from '../data/tables.ts';

export interface Pairs {
  readonly latent: readonly number[];
  readonly other: readonly number[];
  readonly cosine: readonly number[];
  /** Nearest to each other, beyond what chance gives. */
  readonly matched: readonly boolean[];
}

export interface Compared {
  readonly level: number;
  readonly comparison: StoredComparison;
  readonly pairs: Pairs;
}

/** Undefined where the run has not been matched with `other`. */
export async function readCompared(run: ListedRun, other: ListedRun): Promise<Compared | undefined> {
  const matches = await readMatches(run);
  const place = matches ? placeOf(matches, other) : -1;
  if (matches === undefined || place < 0 || !hasFile(run, 'matches.parquet')) return undefined;
  const comparison = matches.comparisons[place];
  const rows = await readRows(
    run,
    'matches.parquet',
    MATCH_COLUMNS,
    ['latent', 'other', 'cosine', 'mutual'],
    { key: 'comparison', from: place, to: place },
  );
  return {
    level: matches.level,
    comparison,
    pairs: {
      latent: rows.map(({ latent }) => latent),
      other: rows.map((row) => row.other),
      cosine: rows.map(({ cosine }) => cosine),
      matched: rows.map(({ mutual, cosine }) => mutual && cosine > comparison.threshold),
    },
  };
}

/** Whether `run` has been matched with `other`. */
export async function isCompared(run: ListedRun, other: ListedRun): Promise<boolean> {
  const matches = await readMatches(run);
  return matches !== undefined && placeOf(matches, other) >= 0;
}

async function readMatches(run: ListedRun): Promise<StoredMatches | undefined> {
  if (!hasFile(run, 'matches.json')) return undefined;
  return fetchJson(matchesSchema, fileAddress(run.path, 'matches.json'), `${run.path}/matches.json`);
}

function placeOf({ comparisons }: StoredMatches, { name, created }: ListedRun): number {
  return comparisons.findIndex((one) => one.name === name && one.created === created);
}

export const SHOWN = ['all', 'matched', 'not matched'] as const;
export type Shown = (typeof SHOWN)[number];
export const ORDERS = ['nearest first', 'farthest first', 'by number'] as const;
export type Order = (typeof ORDERS)[number];

/** The places of pairs that are shown, in order; equals by place. */
export function pairsInOrder({ latent, cosine, matched }: Pairs, shown: Shown, order: Order): Uint32Array {
  const places = Uint32Array.from(latent.keys()).filter(
    (i) => shown === 'all' || matched[i] === (shown === 'matched'),
  );
  const sign = order === 'nearest first' ? -1 : 1;
  const key = order === 'by number' ? latent : cosine;
  return places.sort((a, b) => (order === 'by number' ? 1 : sign) * (key[a] - key[b]) || a - b);
}
