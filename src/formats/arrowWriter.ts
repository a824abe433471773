/**
 * Writes Apache Arrow streams of arrays of numbers, each of the same shape in every row, batch after batch. Arrays of two
 * axes and more are lists of lists that carry the name and the shape which Hugging Face datasets gives its `Array2D` to
 * `Array5D`; arrays of one axis are lists of a fixed size. It must not know what the columns mean.
 */

import {
  Batch,
  Column,
  type DataType,
  Endianness,
  type Field,
  field,
  fixedSizeList,
  float16,
  float32,
  float64,
  int,
  list,
  type Schema,
  Table,
  tableToIPC,
  Version,
} from '@uwdata/flechette';
import type { ArrowBatch } from './arrow.ts';
import { writePiecesAtomic } from './atomic.ts';
import { DTYPE_BYTES, type Dtype, elementCount, isSizes, type Tensor, tensorBytes } from './tensor.ts';

/** What every row of a column holds. */
export interface ArrowColumnSpec {
  readonly name: string;
  readonly dtype: Dtype;
  /** The shape of a row, up to five axes, none of size 0. */
  readonly shape: readonly number[];
}

/** A batch is made in memory, and the library counts its bytes in 31 bits. */
const MAX_BATCH_BYTES = 2 ** 30;
const MAX_AXES = 5;
/** The end of a stream: a marker, and a length of 0. */
const END = 8;
const NO_BYTES = new Uint8Array(0);

/** By dtype: the type in Arrow, and the name that NumPy and datasets have for it. */
const TYPES: ReadonlyMap<Dtype, { readonly type: DataType; readonly numpy: string }> = new Map([
  ['F64', { type: float64(), numpy: 'float64' }],
  ['F32', { type: float32(), numpy: 'float32' }],
  ['F16', { type: float16(), numpy: 'float16' }],
  ['I64', { type: int(64, true), numpy: 'int64' }],
  ['I32', { type: int(32, true), numpy: 'int32' }],
  ['I16', { type: int(16, true), numpy: 'int16' }],
  ['I8', { type: int(8, true), numpy: 'int8' }],
  ['U64', { type: int(64, false), numpy: 'uint64' }],
  ['U32', { type: int(32, false), numpy: 'uint32' }],
  ['U16', { type: int(16, false), numpy: 'uint16' }],
  ['U8', { type: int(8, false), numpy: 'uint8' }],
]);

/** The name that NumPy and datasets have for a dtype. RangeError where Arrow cannot hold it as plain numbers. */
export function numpyName(dtype: Dtype): string {
  return typeOf(dtype).numpy;
}

/**
 * Writes a stream atomically, each batch before the next is asked for. `metadata` goes with the schema. RangeError where a
 * column's shape or dtype cannot be written (BF16, BOOL) or two have a name, where a batch does not fit the columns, or takes 1 GiB or more.
 */
export async function writeArrow(
  path: string,
  columns: readonly ArrowColumnSpec[],
  batches: Iterable<ArrowBatch> | AsyncIterable<ArrowBatch>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  await writePiecesAtomic(path, encodeStream(columns, batches, metadata));
}

/** The library encodes whole streams: the schema is taken from an empty one, each batch from one of its own. */
async function* encodeStream(
  columns: readonly ArrowColumnSpec[],
  batches: Iterable<ArrowBatch> | AsyncIterable<ArrowBatch>,
  metadata: ReadonlyMap<string, string>,
): AsyncGenerator<Uint8Array> {
  const names = columns.map(({ name }) => name);
  if (new Set(names).size < names.length)
    throw new RangeError(`columns ${names.join(', ')}: a name is given twice`);
  const schema: Schema = {
    version: Version.V5,
    endianness: Endianness.Little,
    fields: columns.map(fieldOf),
    metadata: new Map(metadata),
  };
  const encode = (data: Column<unknown>[]): Uint8Array =>
    tableToIPC(new Table(schema, data), { format: 'stream' })!;
  const empty = encode(schema.fields.map(({ type }) => new Column<unknown>([], type)));
  const schemaBytes = empty.length - END;
  yield empty.subarray(0, schemaBytes);
  for await (const batch of batches) {
    const rows = checkBatch(columns, batch);
    const data = columns.map(({ name }, i) => columnOf(schema.fields[i].type, batch.get(name)!, rows));
    yield encode(data).subarray(schemaBytes, -END);
  }
  yield empty.subarray(schemaBytes);
}

function fieldOf({ name, dtype, shape }: ArrowColumnSpec): Field {
  if (!isSizes(shape) || shape.includes(0) || shape.length > MAX_AXES) {
    throw new RangeError(`column ${name}: a shape of [${shape}] cannot be written`);
  }
  const { type, numpy } = typeOf(dtype);
  if (shape.length === 0) return field(name, type);
  if (shape.length === 1) return field(name, fixedSizeList(field('item', type), shape[0]));
  const nested = shape.reduce<DataType>((inner) => list(field('item', inner)), type);
  return field(
    name,
    nested,
    true,
    new Map([
      ['ARROW:extension:name', `datasets.features.features.Array${shape.length}DExtensionType`],
      ['ARROW:extension:metadata', `[[${shape.join(', ')}], "${numpy}"]`],
    ]),
  );
}

function typeOf(dtype: Dtype): { readonly type: DataType; readonly numpy: string } {
  const found = TYPES.get(dtype);
  if (found === undefined)
    throw new RangeError(`${dtype} cannot be written to Arrow; convert it to F32 or U8`);
  return found;
}

/** The number of its rows. */
function checkBatch(columns: readonly ArrowColumnSpec[], batch: ArrowBatch): number {
  const rows = batch.get(columns[0]?.name)?.shape[0] ?? 0;
  let bytes = 0;
  for (const { name, dtype, shape } of columns) {
    const tensor = batch.get(name);
    const expected = [rows, ...shape];
    if (
      tensor?.dtype !== dtype ||
      `${tensor.shape}` !== `${expected}` ||
      tensor.data.length !== elementCount(expected)
    ) {
      throw new RangeError(
        `column ${name}: ${tensor?.dtype ?? 'nothing'} of shape [${tensor?.shape ?? ''}] is given, expected ${dtype} of [${expected}]`,
      );
    }
    bytes += tensor.data.length * DTYPE_BYTES[dtype];
  }
  if (bytes >= MAX_BATCH_BYTES)
    throw new RangeError(`a batch takes ${bytes} bytes; split it below ${MAX_BATCH_BYTES}`);
  return rows;
}

function columnOf(type: DataType, tensor: Tensor, rows: number): Column<unknown> {
  return new Column([batchOf(type, tensor, rows, 1)], type);
}

/** The lists along `axis` of a tensor, of which there are `length`, down to the numbers. */
function batchOf(type: DataType, tensor: Tensor, length: number, axis: number): Batch<unknown> {
  const common = { length, nullCount: 0, type, validity: NO_BYTES };
  if (axis === tensor.shape.length) return new Batch({ ...common, values: tensorBytes(tensor) });
  const size = tensor.shape[axis];
  const child = (type as DataType & { children: Field[] }).children[0].type;
  const children = [batchOf(child, tensor, length * size, axis + 1)];
  if (tensor.shape.length === 2) return new Batch({ ...common, children });
  return new Batch({
    ...common,
    offsets: Int32Array.from({ length: length + 1 }, (_, i) => i * size),
    children,
  });
}
