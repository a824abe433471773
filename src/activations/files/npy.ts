/** Activations in a `.npy` file: a matrix `[rows, width]` and nothing about where its rows are from. */
import { npyHeader, openNpyMatrix } from '../../formats/npy.ts';
import { matrixSource } from '../matrix.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { activationPieces } from './rows.ts';

/** A source over the file, which is opened anew for each read. */
export async function openNpyActivations(path: string): Promise<ActivationSource> {
  const { rows, width, close } = await openNpyMatrix(path);
  await close();
  const readRows = async (first: number, count: number) => {
    const matrix = await openNpyMatrix(path);
    try {
      return await matrix.readRows(first, count);
    } finally {
      await matrix.close();
    }
  };
  return matrixSource({ name: path, rows, width, readRows });
}

/** The file's pieces; labels are left out, for there is no place for them. */
export async function* npyActivationPieces(
  source: ActivationSource,
  onProgress?: Progress,
): AsyncGenerator<Uint8Array> {
  yield npyHeader('F32', [source.totalRows, source.width]);
  for await (const { bytes } of activationPieces(source, onProgress)) yield bytes;
}
