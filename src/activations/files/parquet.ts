/**
 * Activations in a Parquet file: a row for each token, `activations` a list of floats, and where the file has them whole
 * numbers `token_ids`, `document_ids`, `sequence_ids`, `positions`. Row groups have to be read from their start, so the
 * file is read once, in order.
 */
import { InputError } from '../../formats/errors.ts';
import { type ParquetValues, readParquetGroups, writeParquetGroups } from '../../formats/parquet.ts';
import type { Labels } from '../matrix.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { rowParts } from './rows.ts';
import { LABEL_TENSORS } from './safetensors.ts';
import type { SequentialRows } from './sequential.ts';

/** The file's rows, to be read once from the first on; its labels are read at once. */
export async function openParquetActivations(path: string): Promise<SequentialRows> {
  const labels: Labels = {};
  let [rows, width] = [0, 0];
  const columns: Record<string, number[]> = {};
  for await (const group of readParquetGroups(path)) {
    if (!group.columns.has('activations'))
      throw new InputError(
        `${path}: its columns are ${[...group.columns.keys()].join(', ')}; expected activations, a list of floats`,
      );
    width ||= (group.columns.get('activations')![0] as ArrayLike<number>).length;
    rows += group.rows;
    for (const name of Object.values(LABEL_TENSORS)) {
      const values = group.columns.get(name);
      if (values) for (let i = 0; i < group.rows; i++) (columns[name] ??= []).push(Number(values[i]));
    }
  }
  for (const [label, name] of Object.entries(LABEL_TENSORS))
    if (columns[name]) labels[label as keyof Labels] = Int32Array.from(columns[name]);
  return { name: path, rows, width, labels, parts: () => matrices(path, width) };
}

async function* matrices(path: string, width: number): AsyncGenerator<Float32Array> {
  for await (const { rows, firstRow, columns } of readParquetGroups(path, { columns: ['activations'] })) {
    const lists = columns.get('activations')!;
    const matrix = new Float32Array(rows * width);
    for (let i = 0; i < rows; i++) {
      const list = lists[i] as ArrayLike<number> | null;
      if (list?.length !== width)
        throw new InputError(
          `${path}: row ${firstRow + i} has ${list?.length ?? 'no'} activations, the first row has ${width}`,
        );
      matrix.set(list, i * width);
    }
    yield matrix;
  }
}

/** Writes all of `source`, a row group for each part that is in memory. */
export async function writeParquetActivations(
  path: string,
  source: ActivationSource,
  onProgress?: Progress,
): Promise<void> {
  const { width } = source;
  const labels = Object.keys(LABEL_TENSORS) as (keyof typeof LABEL_TENSORS)[];
  async function* groups(): AsyncGenerator<ParquetValues[]> {
    for await (const part of rowParts(source, onProgress)) {
      const lists = Array.from({ length: part.rows }, (_, r) =>
        Array.from(part.activations.subarray(r * width, (r + 1) * width)),
      );
      yield [lists, ...labels.map((label) => part[label])];
    }
  }
  const columns = [
    { name: 'activations', type: 'FLOAT[]' as const },
    ...labels.map((label) => ({ name: LABEL_TENSORS[label], type: 'INT32' as const })),
  ];
  await writeParquetGroups(path, columns, groups());
}
