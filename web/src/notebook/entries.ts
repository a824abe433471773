/** Entries of the notebook as a page gets them. It must not know how they are shown. */
import type { Catalogue, ListedEntry } from '../../../src/explorer/catalogueSchema.ts';
import { type Entry, entrySchema } from '../../../src/runs/entrySchema.ts';
import { isBroken } from '../data/catalogue.ts';
import { DataError, fetchJson, fileAddress } from '../data/fetch.ts';

/** In the order in which they are counted and shown. */
export const VERDICTS = ['held', 'did not hold', 'undecided'] as const;

/** Those whose title, claim or name has all words of `search` in it. */
export function matching(entries: readonly ListedEntry[], search: string): ListedEntry[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(({ path, title, claim }) => {
    const text = `${path} ${title} ${claim}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const read = new Map<string, Promise<Entry>>();

/** entry.json of the entry at `path`, fetched once. DataError where the catalogue has none, or it cannot be read. */
export function entryAt(catalogue: Catalogue, path: string): Promise<Entry> {
  const listed = catalogue.entries.find((entry) => entry.path === path);
  if (listed === undefined)
    return Promise.reject(new DataError(`there is no experiment ${path} here; ${makes(path)} makes it`));
  if (isBroken(listed)) return Promise.reject(new DataError(listed.error));
  // One that was carried out again is another.
  const key = `${path} ${listed.created}`;
  const known =
    read.get(key) ?? fetchJson(entrySchema, fileAddress(path, 'entry.json'), `${path}/entry.json`);
  read.set(key, known);
  known.catch(() => read.delete(key));
  return known;
}

/** The command that carries out an experiment as it was, or that of the name at the end of a path. */
export function makes(of: string | Pick<Entry, 'experiment' | 'quick' | 'seed'>): string {
  if (typeof of === 'string') return `npx monosem toy ${of.slice(of.lastIndexOf('/') + 1)}`;
  return `npx monosem toy ${of.experiment}${of.quick ? ' --quick' : ''} --seed ${of.seed}`;
}
