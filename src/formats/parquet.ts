/**
 * Parquet tables, written so that DuckDB, pandas and pyarrow read them: every column required, lists as the
 * three-level LIST of the Parquet format (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md),
 * Snappy. It must not know what the columns mean.
 *
 * A truncated file and most damage are named. But hyparquet trusts what stands inside its data pages, so a file
 * made on purpose can keep it busy without end: tables from strangers are to be read with care.
 */

import {
  asyncBufferFromFile,
  type DecodedArray,
  parquetMetadataAsync,
  parquetScan,
  type SchemaElement,
} from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { writePiecesAtomic } from './atomic.ts';
import { explainSystemError, InputError } from './errors.ts';

type ScalarType = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'STRING';

/** `STRING[]` is a column in which each row holds a list of strings. */
export type ParquetType = ScalarType | `${ScalarType}[]`;

/** One value for each row; for a list type each value is an array. INT64 takes bigints. No nulls. */
export type ParquetValues = readonly unknown[] | Int32Array | Float32Array | Float64Array | BigInt64Array;

export interface ParquetColumn {
  readonly name: string;
  readonly data: ParquetValues;
  /** Guessed from the first value (or list that is not empty) where not given; numbers in a plain array are DOUBLE. */
  readonly type?: ParquetType;
}

interface TypedColumn {
  readonly name: string;
  readonly type: ParquetType;
}

/** Some of a table's rows, one after another, as they lie together in the file. */
export interface ParquetGroup {
  /** The place in the table of the first of these rows. */
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, DecodedArray>;
}

/**
 * Writes a table atomically, as one row group. RangeError where columns differ in length or a value does not fit
 * its type.
 */
export async function writeParquet(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  const typed = columns.map(({ name, data, type }) => ({ name, type: type ?? guessType(name, data) }));
  await writeParquetGroups(path, typed, [columns.map(({ data }) => data)]);
}

/**
 * `writeParquet` for a table that is too large for the memory: each of `groups` is a row group, with the values of
 * every column in the order of `columns`, and is written before the next is asked for. Where `groups` fails, its
 * error is passed on and no file is left.
 */
export async function writeParquetGroups(
  path: string,
  columns: readonly TypedColumn[],
  groups: Iterable<readonly ParquetValues[]> | AsyncIterable<readonly ParquetValues[]>,
): Promise<void> {
  await writePiecesAtomic(path, encoded(columns, groups));
}

/** The bytes of the file, piece by piece. A piece is overwritten once the next is asked for. */
async function* encoded(
  columns: readonly TypedColumn[],
  groups: Iterable<readonly ParquetValues[]> | AsyncIterable<readonly ParquetValues[]>,
): AsyncGenerator<Uint8Array> {
  const root = { name: 'root', num_children: columns.length };
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: [root, ...columns.flatMap(schemaOf)] });
  let firstRow = 0;
  for await (const group of groups) {
    const rows = group[0]?.length ?? 0;
    const columnData = columns.map(({ name, type }, i) => {
      if (group[i].length !== rows)
        throw new RangeError(`column ${name} has ${group[i].length} rows, ${columns[0].name} has ${rows}`);
      return { name, data: storedValues(name, group[i], type, firstRow), ...storage(type) };
    });
    await writer.write({ columnData, rowGroupSize: rows });
    yield bytes.getBytes();
    bytes.index = 0;
    firstRow += rows;
  }
  await writer.finish();
  yield bytes.getBytes();
}

/**
 * How the writer is to store lists, where its own choice costs more than it gives: strings in lists are tokens, the
 * same few over and over; fractions seldom repeat, so that looking for a dictionary of them is time lost; and the
 * least and the greatest of all elements help no reader to pass over rows.
 */
function storage(type: ParquetType): Pick<ColumnSource, 'statistics' | 'encoding'> {
  if (!isList(type)) return {};
  const fractions = type === 'FLOAT[]' || type === 'DOUBLE[]';
  return {
    statistics: false,
    encoding: type === 'STRING[]' ? 'RLE_DICTIONARY' : fractions ? 'PLAIN' : undefined,
  };
}

/** The rows of a table, of the named columns only where given. InputError names the file, and the column. */
export async function readParquet(
  path: string,
  columns?: readonly string[],
): Promise<Record<string, unknown>[]> {
  const table: Record<string, unknown>[] = [];
  for await (const { rows, columns: read } of readParquetGroups(path, { columns })) {
    for (let i = 0; i < rows; i++)
      table.push(Object.fromEntries(Array.from(read, ([name, data]) => [name, data[i]])));
  }
  return table;
}

/**
 * A table's row groups one by one, with the named columns only where given. Those are passed over, unread, in which
 * the least and the greatest value that the file gives for `where.column` leave no room for any of `where.among`;
 * the others come with all of their rows. InputError names the file, and the column.
 */
export async function* readParquetGroups(
  path: string,
  options: { columns?: readonly string[]; where?: { column: string; among: Iterable<number> } } = {},
): AsyncGenerator<ParquetGroup> {
  const { columns, where } = options;
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const names = columns ?? columnNames(metadata.schema);
    refuseMissing(path, metadata.schema, where ? [...names, where.column] : names);
    const pruningFilter = where && { [where.column]: { $in: [...where.among] } };
    const scan = await parquetScan({ file, metadata, columns: [...names], pruningFilter });
    for (const { rowStart, rowEnd } of scan.ranges) {
      const rows = rowEnd - rowStart;
      const read = new Map<string, DecodedArray>();
      // One at a time: reading a damaged file in parallel can leave a rejection that nothing awaits.
      for (const column of names) {
        const data = await scan.readColumn({ column, rowStart, rowEnd });
        if (data.length !== rows)
          throw new Error(`column ${column} has ${data.length} values for ${rows} rows`);
        read.set(column, data);
      }
      yield { firstRow: rowStart, rows, columns: read };
    }
  } catch (error) {
    const explained = explainSystemError(error, 'read', path);
    if (explained instanceof InputError) throw explained;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `${path}: cannot be read as Parquet; it is damaged, or not plain or Snappy-compressed: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

function refuseMissing(path: string, schema: SchemaElement[], columns: readonly string[]): void {
  const found = columnNames(schema);
  const missing = columns.find((name) => !found.includes(name));
  if (missing !== undefined)
    throw new InputError(`${path}: there is no column ${missing}; it has ${found.join(', ')}`);
}

/** The root's children, in a schema that lists a tree in depth-first order. */
function columnNames(schema: SchemaElement[]): string[] {
  const names: string[] = [];
  for (let at = 1; at < schema.length; at = endOfSubtree(schema, at)) names.push(schema[at].name);
  return names;
}

function endOfSubtree(schema: SchemaElement[], start: number): number {
  let end = start;
  for (let open = 1; open > 0 && end < schema.length; end++) open += (schema[end].num_children ?? 0) - 1;
  return end;
}

function schemaOf({ name, type }: TypedColumn): SchemaElement[] {
  if (!isList(type)) return [leaf(name, elementType(type))];
  return [
    {
      name,
      repetition_type: 'REQUIRED',
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
      num_children: 1,
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    leaf('element', elementType(type)),
  ];
}

function leaf(name: string, type: ScalarType): SchemaElement {
  if (type !== 'STRING') return { name, type, repetition_type: 'REQUIRED' };
  return {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'REQUIRED',
  };
}

/** The writer asks for plain arrays inside lists. Values are checked: it would store a wrong one in silence. */
function storedValues(name: string, data: ParquetValues, type: ParquetType, firstRow: number): DecodedArray {
  const scalar = elementType(type);
  const check = (values: ParquetValues, rowOf: (i: number) => number): void => {
    for (let i = 0; i < values.length; i++) {
      if (!fits(values[i], scalar))
        throw new RangeError(`column ${name}, row ${rowOf(i)}: ${String(values[i])} is not ${scalar}`);
    }
  };
  if (!isList(type)) {
    check(data, (i) => firstRow + i);
    return data as DecodedArray;
  }
  return Array.from<unknown, unknown[]>(data, (list, i) => {
    const row = firstRow + i;
    if (!isArrayLike(list)) throw new RangeError(`column ${name}, row ${row}: ${String(list)} is not a list`);
    check(list, () => row);
    return Array.isArray(list) ? list : Array.from<unknown>(list);
  });
}

function fits(value: unknown, type: ScalarType): boolean {
  if (type === 'STRING') return typeof value === 'string';
  if (type === 'BOOLEAN') return typeof value === 'boolean';
  if (type === 'INT64') return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
  if (type === 'INT32') return typeof value === 'number' && (value | 0) === value;
  return typeof value === 'number';
}

function guessType(name: string, data: ParquetValues): ParquetType {
  if (data instanceof Int32Array) return 'INT32';
  if (data instanceof BigInt64Array) return 'INT64';
  if (data instanceof Float32Array) return 'FLOAT';
  if (data instanceof Float64Array) return 'DOUBLE';
  const first = Array.from<unknown>(data).find((value) => !(Array.isArray(value) && value.length === 0));
  if (isArrayLike(first)) return `${guessType(name, first) as ScalarType}[]`;
  if (typeof first === 'string') return 'STRING';
  if (typeof first === 'boolean') return 'BOOLEAN';
  if (typeof first === 'bigint') return 'INT64';
  if (typeof first === 'number') return 'DOUBLE';
  throw new RangeError(`column ${name}: its type cannot be told from ${String(first)}; give it`);
}

function isArrayLike(value: unknown): value is ParquetValues {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isList(type: ParquetType): boolean {
  return type.endsWith('[]');
}

/** The type of a list's elements; of a scalar type, itself. */
function elementType(type: ParquetType): ScalarType {
  return type.replace('[]', '') as ScalarType;
}
