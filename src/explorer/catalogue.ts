/** The catalogue of a directory: every run, every experiment and every post, and of those that cannot be read, why. */
import { InputError } from '../formats/errors.ts';
import { readEntry } from '../runs/entry.ts';
import { monosemVersion } from '../version.ts';
import type { Broken, Catalogue, ListedEntry } from './catalogueSchema.ts';
import { listRun } from './listedRun.ts';
import { listPosts } from './posts.ts';
import { type Found, scan } from './scan.ts';

/** Where a site's parts come from. */
export interface Sources {
  /** The directory with runs and entries. */
  readonly runs: string;
  /** The directory with posts, `*.md`; it need not be there. */
  readonly notebook: string;
}

/** InputError where the directory of runs cannot be read. */
export async function makeCatalogue(sources: Sources, served: boolean): Promise<Catalogue> {
  const found = await scan(sources.runs);
  return {
    format: 1,
    served,
    version: await monosemVersion(),
    runs: await oneByOne(found.runs, listRun),
    entries: await oneByOne(found.entries, listEntry),
    posts: await listPosts(sources.notebook),
  };
}

async function listEntry({ path, directory }: Found): Promise<ListedEntry | Broken> {
  try {
    const { experiment, title, claim, verdict, quick, created, seconds } = await readEntry(directory);
    return { path, experiment, title, claim, verdict, quick, created, seconds };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { path, error: error.message };
  }
}

/** One after another: a directory of thousands of runs must not open thousands of files at once. */
async function oneByOne<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
