/**
 * Rows that a file gives only from its first to its last, brought into a store on disk once, where any can be read at any
 * time. It must not know the file's format.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import { sha256 } from '../../formats/hash.ts';
import { cacheDirectory } from '../cache.ts';
import { type Labels, matrixSource } from '../matrix.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { openStore, writeStore } from '../store.ts';

export interface SequentialRows {
  /** Names the file in errors. */
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly labels: Labels;
  /** Matrices `[any, width]` that hold all rows in order. */
  parts(): AsyncGenerator<Float32Array>;
}

/**
 * The rows as a source, from a store in the cache directory, which is written where it is not there yet: once for each
 * content of the file, as its path, size and time of change tell. `part` names what of the file is read, where it has several.
 */
export async function importRows(
  path: string,
  open: (path: string) => Promise<SequentialRows>,
  onProgress?: Progress,
  part = '',
): Promise<ActivationSource> {
  const { size, mtimeMs } = await stat(path).catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  const key = sha256(JSON.stringify([resolve(path), size, mtimeMs, part]));
  const dir = join(cacheDirectory(), 'imported', key.slice(0, 32));
  if (!existsSync(dir)) {
    const origin = { model: 'unknown', modelSha256: key, hook: 'unknown', corpus: path, corpusSha256: key };
    const rows = await open(path);
    const parts = rows.parts();
    try {
      await writeStore(dir, onceThrough(rows, parts), { ...origin, split: 'all' }, { onProgress });
    } finally {
      // All rows were taken, but a generator closes its file only when it is told that no more will be.
      await parts.return(undefined);
    }
  }
  return openStore(dir);
}

/** A source over the matrices that `parts` gives, whose rows must be asked for in order, each once. */
function onceThrough(
  { name, rows, width, labels }: SequentialRows,
  parts: AsyncGenerator<Float32Array>,
): ActivationSource {
  let left: Float32Array = new Float32Array(0);
  let next = 0;
  const readRows = async (first: number, count: number) => {
    if (first !== next) throw new RangeError(`${name}: row ${first} was asked for after ${next}`);
    const out = new Float32Array(count * width);
    for (let filled = 0; filled < out.length; ) {
      if (left.length === 0) {
        const { value, done } = await parts.next();
        if (done) throw new InputError(`${name}: it ends after ${next} of ${rows} rows`);
        left = value;
      }
      const take = Math.min(left.length, out.length - filled);
      out.set(left.subarray(0, take), filled);
      left = left.subarray(take);
      filled += take;
    }
    next += count;
    return out;
  };
  return matrixSource({ name, rows, width, readRows }, labels);
}
