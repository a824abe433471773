/** A source over arrays in memory: one's own activations, from any network, or those of a toy. */
import { InputError } from '../formats/errors.ts';
import { firstNonFinite } from '../math/finite.ts';
import { type Labels, matrixSource } from './matrix.ts';
import type { ActivationSource } from './source.ts';

/**
 * `activations [rows, width]`; rows of one sequence stand together under one id. Where not given, each row is a sequence of
 * its own, each sequence is a document, tokens are 0, and positions count from 0 in each sequence. InputError where lengths
 * do not fit or a value is NaN or infinite.
 */
export function memorySource({
  width,
  activations,
  ...labels
}: { width: number; activations: Float32Array } & Labels): ActivationSource {
  const name = 'activations';
  const rows = activations.length / width;
  if (!Number.isInteger(width) || width < 1 || !Number.isInteger(rows) || rows < 1)
    throw new InputError(`${name}: ${activations.length} values are not rows of width ${width}`);
  const bad = firstNonFinite(activations);
  if (bad >= 0) {
    const [row, column] = [Math.floor(bad / width), bad % width];
    throw new InputError(`${name}: row ${row}, column ${column} is ${activations[bad]}, not finite`);
  }
  const sequences = labels.sequences ?? Int32Array.from({ length: rows }, (_, row) => row);
  const readRows = (first: number, count: number) =>
    activations.subarray(first * width, (first + count) * width);
  return matrixSource({ name, rows, width, readRows }, { ...labels, sequences });
}
