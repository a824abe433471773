/**
 * Activations in one safetensors file, as a shard of monosem's own store holds them: `activations [rows, width]` or
 * `[sequences, length, width]`, and where the file has them `token_ids`, `document_ids`, `sequence_ids`, `positions`, a
 * number for each row. A file with a single matrix of floats may name it as it likes.
 */
import { writePiecesAtomic } from '../../formats/atomic.ts';
import { InputError } from '../../formats/errors.ts';
import { withFile } from '../../formats/files.ts';
import {
  readSafetensorsHeader,
  readTensorRows,
  safetensorsHeader,
  type TensorEntry,
} from '../../formats/safetensors.ts';
import { elementCount } from '../../formats/tensor.ts';
import { type Labels, matrixSource } from '../matrix.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { activationPieces } from './rows.ts';

const FLOATS = ['F32', 'F16', 'BF16'] as const;
type FloatEntry = TensorEntry & { readonly dtype: (typeof FLOATS)[number] };

/** The names of the labels in the file. */
export const LABEL_TENSORS = {
  tokens: 'token_ids',
  documents: 'document_ids',
  sequences: 'sequence_ids',
  positions: 'positions',
} as const;

/** A source over the file, which is opened anew for each read. */
export async function openSafetensorsActivations(path: string): Promise<ActivationSource> {
  const { tensors } = await readSafetensorsHeader(path);
  const entry = activationsOf(tensors, path);
  const width = entry.shape.at(-1)!;
  // Rows of a tensor of sequences are read as rows of a matrix.
  const rows = elementCount(entry.shape.slice(0, -1));
  const matrix = { ...entry, shape: [rows, width] };
  const labels: Labels = {};
  for (const [label, tensor] of Object.entries(LABEL_TENSORS))
    if (tensors.has(tensor))
      labels[label as keyof Labels] = await readLabel(tensors.get(tensor)!, rows, path);
  if (entry.shape.length === 3 && !labels.sequences) {
    const length = entry.shape[1];
    labels.sequences = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / length));
  }
  const readRows = (first: number, count: number) =>
    withFile(path, (file) => readTensorRows(file, matrix, first, count));
  return matrixSource({ name: path, rows, width, readRows }, labels);
}

/** Writes all of `source` with its labels; no more than a part is in memory. */
export async function writeSafetensorsActivations(
  path: string,
  source: ActivationSource,
  onProgress?: Progress,
): Promise<void> {
  const { totalRows, width } = source;
  const labels = Object.entries(LABEL_TENSORS) as [keyof Labels, string][];
  const { order, bytes } = safetensorsHeader({
    activations: { dtype: 'F32', shape: [totalRows, width] },
    ...Object.fromEntries(labels.map(([, name]) => [name, { dtype: 'I32' as const, shape: [totalRows] }])),
  });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield bytes;
    const columns = new Map(labels.map(([, name]) => [name, new Int32Array(totalRows)]));
    let done = 0;
    for await (const part of activationPieces(source, onProgress)) {
      for (const [label, name] of labels) columns.get(name)!.set(part.rows[label], done);
      done += part.rows.rows;
      yield part.bytes;
    }
    // Activations come first: they have the first of the names, and no number is wider than theirs.
    for (const name of order.slice(1)) yield new Uint8Array(columns.get(name)!.buffer);
  }
  await writePiecesAtomic(path, pieces());
}

function activationsOf(tensors: ReadonlyMap<string, TensorEntry>, path: string): FloatEntry {
  const isMatrix = (entry: TensorEntry): entry is FloatEntry =>
    (FLOATS as readonly string[]).includes(entry.dtype) && [2, 3].includes(entry.shape.length);
  const named = tensors.get('activations');
  const candidates = [...tensors.values()].filter(isMatrix);
  if (named && isMatrix(named)) return named;
  if (!named && candidates.length === 1) return candidates[0];
  const found = [...tensors.values()].map(({ name, dtype, shape }) => `${name} (${dtype} [${shape}])`);
  throw new InputError(
    `${path}: it holds ${found.join(', ') || 'no tensors'}; expected a tensor activations of float numbers ` +
      `[rows, width] or [sequences, length, width]`,
  );
}

async function readLabel(entry: TensorEntry, rows: number, path: string): Promise<Int32Array> {
  const { name, dtype, shape } = entry;
  if (dtype !== 'I32' || elementCount(shape) !== rows)
    throw new InputError(
      `${path}: ${name} is ${dtype} [${shape}]; expected I32, one for each of ${rows} rows`,
    );
  const flat = { ...entry, dtype, shape: [rows] };
  return withFile(path, (file) => readTensorRows(file, flat, 0, rows));
}
