/**
 * Reads Apache Arrow streams (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format) whose columns
 * hold an array of numbers of the same shape in every row: one batch after another, and of each batch only the columns
 * that are asked for, so that a file may be larger than memory. It must not know what the columns mean.
 */

import { type FileHandle, open } from 'node:fs/promises';
import {
  type ArrowField,
  type ArrowMessage,
  type ArrowRecordBatch,
  type ArrowSchema,
  readArrowMessage,
} from './arrowMetadata.ts';
import { explainSystemError, InputError } from './errors.ts';
import { readRange } from './files.ts';
import { DTYPE_BYTES, type Dtype, isSizes, type Tensor, tensorFromBytes } from './tensor.ts';

/** A column whose rows are arrays of numbers. */
export interface ArrowColumn {
  readonly name: string;
  readonly dtype: Dtype;
  /** The shape of a row; a size that only the rows themselves tell is undefined. */
  readonly shape: readonly (number | undefined)[];
}

/** Some of a table's rows: a tensor `[rows, ...shape of a row]` for each column. */
export type ArrowBatch = ReadonlyMap<string, Tensor>;

/** A column and where its buffers stand among those of a batch. */
interface PlacedColumn extends ArrowColumn {
  /** For each axis of a row: the bytes of an offset, or the size that all rows have. */
  readonly levels: readonly ({ readonly offsetBytes: 4 | 8 } | { readonly size: number })[];
  readonly node: number;
  readonly buffer: number;
}

/** A message and the place of its body in the file. */
interface PlacedMessage extends ArrowMessage {
  readonly body: number;
}

const MAX_METADATA = 1 << 24;
const CONTINUATION = 0xffffffff;
/** How Hugging Face datasets calls arrays of 2 to 5 axes, and where it keeps their shape. */
const EXTENSION_NAME = 'ARROW:extension:name';
const EXTENSION_METADATA = 'ARROW:extension:metadata';
const ARRAY_EXTENSION = /^datasets\.features\.features\.Array[2-5]DExtensionType$/;

/** The columns of numbers that a stream has; text and the like are left out. InputError as for `readArrowBatches`. */
export async function readArrowColumns(path: string): Promise<ArrowColumn[]> {
  for await (const { columns } of openStream(path)) return [...columns.values()];
  return [];
}

/**
 * A stream's batches one by one, with the named columns only where given, else all columns of numbers.
 *
 * InputError names the file, and the column, where a named column is not there or does not hold numbers, where rows
 * differ in shape or are null, where batches are compressed, and where the file is damaged, truncated or no Arrow
 * stream.
 */
export async function* readArrowBatches(path: string, names?: readonly string[]): AsyncGenerator<ArrowBatch> {
  for await (const { file, columns, message } of openStream(path)) {
    const chosen = (names ?? [...columns.keys()]).map((name) => {
      const column = columns.get(name);
      if (column !== undefined) return column;
      throw new InputError(
        `${path}: there is no column of numbers ${JSON.stringify(name)}; it has ${[...columns.keys()].join(', ')}`,
      );
    });
    if (message.header.kind !== 'batch') continue;
    const batch = new Map<string, Tensor>();
    for (const column of chosen) {
      const where = `${path}: column ${JSON.stringify(column.name)}`;
      batch.set(column.name, await readColumn(file, message.body, message.header, column, where));
    }
    yield batch;
  }
}

// ---- The stream ------------------------------------------------------------------------------------------------

/** Every message, the schema's first, each with the columns that the schema tells of. */
async function* openStream(
  path: string,
): AsyncGenerator<{ file: FileHandle; columns: Map<string, PlacedColumn>; message: PlacedMessage }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    let columns: Map<string, PlacedColumn> | undefined;
    for await (const message of readMessages(file, path)) {
      const { header } = message;
      if ((header.kind === 'schema') !== (columns === undefined)) {
        throw new InputError(
          `${path}: its first message, and no other, must be the schema. The file is damaged`,
        );
      }
      if (header.kind === 'schema') columns = placeColumns(header, path);
      if (header.kind === 'batch') checkBuffers(header, message.bodyBytes, path);
      yield { file, columns: columns!, message };
    }
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  } finally {
    await file?.close();
  }
}

/** Each message: a marker, the length of its metadata, the metadata, and a body. A length of 0 is the end. */
async function* readMessages(file: FileHandle, path: string): AsyncGenerator<PlacedMessage> {
  const { size } = await file.stat();
  let at = 0;
  for (;;) {
    const prefix = await readRange(file, at, 8, path);
    const view = new DataView(prefix.buffer);
    const length = view.getUint32(4, true);
    if (view.getUint32(0, true) !== CONTINUATION) throw new InputError(noStream(prefix, at, path));
    at += 8;
    if (length === 0) break;
    if (length > MAX_METADATA || at + length > size) {
      throw new InputError(
        `${path}: a message of ${length} bytes is announced at byte ${at}, but the file has ${size} bytes, and the limit is ${MAX_METADATA}. It is truncated or damaged`,
      );
    }
    const message = readArrowMessage(await readRange(file, at, length, path), path);
    const body = at + length;
    at = body + message.bodyBytes;
    if (at > size) {
      throw new InputError(
        `${path}: a batch ends at byte ${at}, but the file has ${size} bytes. It is truncated`,
      );
    }
    yield { ...message, body };
  }
  if (at !== size)
    throw new InputError(`${path}: it goes on after the end of its stream. The file is damaged`);
}

function noStream(prefix: Uint8Array, at: number, path: string): string {
  if (at === 0 && Buffer.from(prefix).toString('latin1').startsWith('ARROW1')) {
    return `${path}: it is in Arrow's file format (Feather), expected a stream; write it with pyarrow.ipc.new_stream`;
  }
  return `${path}: no Arrow message begins at byte ${at}; the file is damaged, or no Arrow stream`;
}

/** All buffers lie within the body, and together they are no longer. */
function checkBuffers({ buffers }: ArrowRecordBatch, bodyBytes: number, path: string): void {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (total > bodyBytes || buffers.some(({ offset, length }) => offset + length > bodyBytes)) {
    throw new InputError(
      `${path}: the buffers of a batch do not fit its ${bodyBytes} bytes. The file is damaged`,
    );
  }
}

// ---- The schema ------------------------------------------------------------------------------------------------

function placeColumns(schema: ArrowSchema, path: string): Map<string, PlacedColumn> {
  const columns = new Map<string, PlacedColumn>();
  const names = new Set<string>();
  const next = { node: 0, buffer: 0 };
  for (const field of schema.fields) {
    const where = `${path}: column ${JSON.stringify(field.name)}`;
    if (names.has(field.name)) throw new InputError(`${where} is there twice`);
    names.add(field.name);
    const column = placeColumn(field, next, where);
    if (column !== undefined) columns.set(field.name, column);
    pass(field, next);
  }
  return columns;
}

/** Undefined where the column does not hold numbers. */
function placeColumn(
  field: ArrowField,
  place: { readonly node: number; readonly buffer: number },
  where: string,
): PlacedColumn | undefined {
  const levels: PlacedColumn['levels'][number][] = [];
  let inner = field;
  for (; inner.type.kind === 'list' || inner.type.kind === 'fixed list'; inner = inner.children[0])
    levels.push(inner.type);
  if (inner.type.kind !== 'number') return undefined;
  const declared = declaredShape(field, levels.length, where);
  const shape = levels.map((level, axis) => ('size' in level ? level.size : declared?.[axis]));
  return { name: field.name, dtype: inner.type.dtype, shape, levels, ...place };
}

/** Walks over the nodes and buffers of a field and its children. */
function pass(field: ArrowField, next: { node: number; buffer: number }): void {
  const { type } = field;
  next.node += 1;
  next.buffer += type.kind === 'other' ? type.buffers : type.kind === 'fixed list' ? 1 : 2;
  for (const child of field.children) pass(child, next);
}

/** `[[128, 512], "float32"]`, where the first size may be null; undefined where the field says nothing. */
function declaredShape(field: ArrowField, axes: number, where: string): (number | undefined)[] | undefined {
  const text = field.metadata.get(EXTENSION_METADATA);
  if (text === undefined || !ARRAY_EXTENSION.test(field.metadata.get(EXTENSION_NAME) ?? '')) return undefined;
  let shape: unknown;
  try {
    [shape] = JSON.parse(text) as unknown[];
  } catch {
    shape = undefined;
  }
  const known = Array.isArray(shape) && shape.length === axes ? shape.map((size) => size ?? 0) : undefined;
  if (!isSizes(known)) {
    throw new InputError(
      `${where}: its shape, ${text.slice(0, 100)}, is not that of an array of ${axes} axes`,
    );
  }
  return (shape as (number | null)[]).map((size) => size ?? undefined);
}

// ---- A column of a batch ---------------------------------------------------------------------------------------

async function readColumn(
  file: FileHandle,
  body: number,
  batch: ArrowRecordBatch,
  column: PlacedColumn,
  where: string,
): Promise<Tensor> {
  const shape = [batch.rows];
  // The elements of the level at hand that belong to these rows.
  let [low, high] = [0, batch.rows];
  let buffer = column.buffer;
  for (const [axis, level] of column.levels.entries()) {
    checkNode(batch, column.node + axis, high, where);
    buffer += 1;
    let size = column.shape[axis] ?? 0;
    if ('size' in level) {
      if (size < 1) throw new InputError(`${where}: its lists have a size of ${size}, expected 1 or more`);
      [low, high] = [low * size, high * size];
    } else {
      if (high > low) {
        const bytes = await readPart(file, body, batch, buffer, low, high + 1, level.offsetBytes, where);
        const offsets =
          level.offsetBytes === 4 ? new Int32Array(bytes.buffer) : new BigInt64Array(bytes.buffer);
        size = commonSize(offsets, column.shape[axis], where);
        [low, high] = [Number(offsets[0]), Number(offsets[offsets.length - 1])];
      }
      buffer += 1;
    }
    shape.push(size);
  }
  checkNode(batch, column.node + column.levels.length, high, where);
  const bytes = await readPart(file, body, batch, buffer + 1, low, high, DTYPE_BYTES[column.dtype], where);
  return tensorFromBytes(column.dtype, shape, bytes, where);
}

function checkNode(batch: ArrowRecordBatch, index: number, least: number, where: string): void {
  const node = batch.nodes[index];
  if (node === undefined || node.length < least) {
    throw new InputError(
      `${where}: a batch has ${node?.length ?? 'no'} values, expected ${least}. The file is damaged`,
    );
  }
  if (node.nullCount > 0) {
    throw new InputError(`${where}: ${node.nullCount} of its values are null, expected numbers in every row`);
  }
}

/** Elements `low .. high`, of `width` bytes each, of a buffer. */
async function readPart(
  file: FileHandle,
  body: number,
  batch: ArrowRecordBatch,
  index: number,
  low: number,
  high: number,
  width: number,
  where: string,
): Promise<Uint8Array> {
  const buffer = batch.buffers[index];
  if (buffer === undefined || high * width > buffer.length) {
    throw new InputError(
      `${where}: a buffer has ${buffer?.length ?? 'no'} bytes, expected ${high * width}. The file is damaged`,
    );
  }
  return readRange(file, body + buffer.offset + low * width, (high - low) * width, where);
}

/** The length of every list, from where each begins and the last ends. */
function commonSize(
  offsets: Int32Array | BigInt64Array,
  declared: number | undefined,
  where: string,
): number {
  const expected = declared ?? Number(offsets[1]) - Number(offsets[0]);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const size = Number(offsets[i + 1]) - Number(offsets[i]);
    if (size !== expected || size < 0 || offsets[i] < 0) {
      throw new InputError(
        `${where}: its lists are not all of one length: list ${i} of a batch has ${size} elements, expected ${expected}`,
      );
    }
  }
  return expected;
}
