/**
 * Activations that any other pipeline harvested, and ours for it: which format a path holds, and how it is read and
 * written.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { writePiecesAtomic } from '../../formats/atomic.ts';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { openStore } from '../store.ts';
import { openDatasetActivations, writeDatasetActivations } from './dataset.ts';
import { npyActivationPieces, openNpyActivations } from './npy.ts';
import { openParquetActivations, writeParquetActivations } from './parquet.ts';
import { openSafetensorsActivations, writeSafetensorsActivations } from './safetensors.ts';
import { importRows } from './sequential.ts';

/** What a file name can end in; a name without an end is that of a directory, a Hugging Face dataset. */
export const ACTIVATION_FILES = ['.npy', '.safetensors', '.parquet'] as const;

/**
 * Opens a `.npy`, `.safetensors` or `.parquet` file, a Hugging Face dataset as SAELens caches activations in, or a store
 * that monosem wrote. A dataset of several hook points is asked for one by `<dataset>/<column>`. Progress is that of a file that has to be read through first. InputError names what was found where it is none of these.
 */
export async function openActivations(path: string, onProgress?: Progress): Promise<ActivationSource> {
  if (await exists(join(path, 'store.json'))) return openStore(path);
  if (await exists(join(path, 'state.json'))) return importRows(path, openDatasetActivations, onProgress);
  const [dataset, column] = [dirname(path), basename(path)];
  if (await exists(join(dataset, 'state.json')))
    return importRows(dataset, (whole) => openDatasetActivations(whole, column), onProgress, column);
  switch (extname(path)) {
    case '.npy':
      return openNpyActivations(path);
    case '.safetensors':
      return openSafetensorsActivations(path);
    case '.parquet':
      return importRows(path, openParquetActivations, onProgress);
    default:
      throw new InputError(
        `${path}: not a file of activations that monosem can read; expected a name in ${ACTIVATION_FILES.join(', ')}, ` +
          'or the directory of a harvest or of a Hugging Face dataset',
      );
  }
}

/**
 * Writes all rows to a file, in the format that its name ends in, or to a dataset whose column is named after the hook
 * point. InputError where the name ends in what is none of these.
 */
export async function writeActivations(
  path: string,
  source: ActivationSource,
  { hook = 'activations', onProgress }: { hook?: string; onProgress?: Progress } = {},
): Promise<void> {
  switch (extname(path)) {
    case '':
      return writeDatasetActivations(path, source, hook, onProgress);
    case '.npy':
      return writePiecesAtomic(path, npyActivationPieces(source, onProgress));
    case '.safetensors':
      return writeSafetensorsActivations(path, source, onProgress);
    case '.parquet':
      return writeParquetActivations(path, source, onProgress);
    default:
      throw new InputError(
        `${basename(path)}: expected a name that ends in ${ACTIVATION_FILES.join(', ')}, or in nothing for a Hugging Face dataset`,
      );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw explainSystemError(error, 'read', path);
  }
}
