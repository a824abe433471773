/**
 * Finds the runs and entries below a directory. It goes no further into a run than its own files, follows no symbolic link to a
 * directory, and looks at no more than `MOST` directories. It must not know what is in any file.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { explainSystemError } from '../formats/errors.ts';
import { RUN_FILES } from '../runs/directory.ts';
import { ENTRY_FILE } from '../runs/entry.ts';

/** A directory with a run or an entry in it. */
export interface Found {
  /** Below the root, with `/`; the root's own name where it is one itself. */
  readonly path: string;
  readonly directory: string;
}

export interface Scan {
  readonly runs: Found[];
  readonly entries: Found[];
}

const DEEPEST = 4;
const MOST = 20_000;

/** InputError where `root` cannot be read; a directory below it that cannot be read is passed over. */
export async function scan(root: string): Promise<Scan> {
  const found: Scan = { runs: [], entries: [] };
  const waiting: (Found & { depth: number })[] = [{ path: '', directory: root, depth: 0 }];
  for (let looked = 0; waiting.length > 0 && looked < MOST; looked++) {
    const { path, directory, depth } = waiting.shift()!;
    const children = await childrenOf(directory, depth === 0);
    const has = (file: string) => children.some((child) => child.name === file && !child.isDirectory());
    const place = { path: path === '' ? basename(root) : path, directory };
    if (has(ENTRY_FILE)) found.entries.push(place);
    if (has(RUN_FILES.run)) {
      found.runs.push(place);
      continue;
    }
    if (depth === DEEPEST) continue;
    for (const child of children)
      if (child.isDirectory() && !child.name.startsWith('.') && child.name !== 'node_modules')
        waiting.push({
          path: path === '' ? child.name : `${path}/${child.name}`,
          directory: join(directory, child.name),
          depth: depth + 1,
        });
  }
  return found;
}

async function childrenOf(directory: string, isRoot: boolean): Promise<Dirent[]> {
  try {
    const children = await readdir(directory, { withFileTypes: true });
    return children.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isRoot) throw explainSystemError(error, 'read', directory);
    return [];
  }
}
