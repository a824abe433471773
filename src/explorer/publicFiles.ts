/**
 * Which files below a directory a page may have: those of runs and entries that are for looking at, and nothing that a symbolic
 * link points to, since a run may come from a stranger. It must not know how they are sent.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ENTRY_FILE } from '../runs/entry.ts';
import { PUBLIC_FILES } from './listedRun.ts';
import { scan } from './scan.ts';

/** Finds files by the names that the catalogue gives; looks at the disk again only for a name that it does not know. */
export class PublicFiles {
  private readonly root: string;
  private known = new Map<string, string>();

  constructor(root: string) {
    this.root = root;
  }

  /** Where the file `<path of a run or entry>/<file>` lies; undefined where there is none that a page may have. */
  async find(name: string): Promise<string | undefined> {
    if (!this.known.has(name)) this.known = await named(this.root);
    const path = this.known.get(name);
    const found = path === undefined ? undefined : await lstat(path).catch(() => undefined);
    return found?.isFile() ? path : undefined;
  }
}

async function named(root: string): Promise<Map<string, string>> {
  const { runs, entries } = await scan(root);
  const known = new Map<string, string>();
  for (const { path, directory } of runs)
    for (const file of PUBLIC_FILES) known.set(`${path}/${file}`, join(directory, file));
  for (const { path, directory } of entries) known.set(`${path}/${ENTRY_FILE}`, join(directory, ENTRY_FILE));
  return known;
}
