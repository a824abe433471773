/**
 * What a run takes on disk. Its directory is its own; corpus and activations are in the cache, where other runs may find
 * them, and can be removed and made again.
 */
import { join } from 'node:path';
import { bytesAt } from '../formats/size.ts';
import { RUN_FILES } from '../runs/directory.ts';
import { isFile, type Material, storeDirectory } from './subject.ts';

/** Bytes of each part of the run in `dir` that reads these hook points. `activations` are in the cache. */
export async function diskOf(
  dir: string,
  material: Material,
  hooks: readonly string[],
): Promise<Record<string, number>> {
  const [whole, dictionary, checkpoints, nulls] = await Promise.all(
    ['', RUN_FILES.dictionary, RUN_FILES.checkpoints, 'nulls'].map((part) => bytesAt(join(dir, part))),
  );
  return {
    dictionary,
    checkpoints,
    nulls,
    results: whole - dictionary - checkpoints - nulls,
    activations: await bytesAt(isFile(material) ? material.path : storeDirectory(material, hooks).dir),
  };
}
