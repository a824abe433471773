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
import { parquetWriteBuffer } from 'hyparquet-writer';
import { writeFileAtomic } from './atomic.ts';
import { explainSystemError, InputError } from './errors.ts';

type ScalarType = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'STRING';

/** `STRING[]` is a column in which each row holds a list of strings. */
export type ParquetType = ScalarType | `${ScalarType}[]`;

type Values = readonly unknown[] | Int32Array | Float32Array | Float64Array | BigInt64Array;

export interface ParquetColumn {
  readonly name: string;
  /** One value for each row; for a list type each value is an array. INT64 takes bigints. No nulls. */
  readonly data: Values;
  /** Guessed from the first value (or list that is not empty) where not given; numbers in a plain array are DOUBLE. */
  readonly type?: ParquetType;
}

/** Writes a table atomically. RangeError where columns differ in length or a value does not fit its type. */
export async function writeParquet(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  const rows = columns[0]?.data.length ?? 0;
  for (const { name, data } of columns) {
    if (data.length !== rows)
      throw new RangeError(`column ${name} has ${data.length} rows, ${columns[0].name} has ${rows}`);
  }
  const typed = columns.map((column) => ({
    ...column,
    type: column.type ?? guessType(column.name, column.data),
  }));
  const schema = [
    { name: 'root', num_children: columns.length },
    ...typed.flatMap((column) => schemaOf(column)),
  ];
  const columnData = typed.map(({ name, data, type }) => ({ name, data: storedValues(name, data, type) }));
  await writeFileAtomic(path, new Uint8Array(parquetWriteBuffer({ columnData, schema })));
}

/** The rows of a table, of the named columns only where given. InputError names the file, and the column. */
export async function readParquet(
  path: string,
  columns?: readonly string[],
): Promise<Record<string, unknown>[]> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const names = columns ?? columnNames(metadata.schema);
    refuseMissing(path, metadata.schema, names);
    const scan = await parquetScan({ file, metadata, columns: [...names] });
    const rows: Record<string, unknown>[] = [];
    for (const { rowStart, rowEnd } of scan.ranges) {
      const table: [string, DecodedArray][] = [];
      // One at a time: reading a damaged file in parallel can leave a rejection that nothing awaits.
      for (const column of names) table.push([column, await scan.readColumn({ column, rowStart, rowEnd })]);
      const short = table.find(([, data]) => data.length !== rowEnd - rowStart);
      if (short)
        throw new Error(`column ${short[0]} has ${short[1].length} values for ${rowEnd - rowStart} rows`);
      for (let i = 0; i < rowEnd - rowStart; i++) {
        rows.push(Object.fromEntries(table.map(([name, data]) => [name, data[i]])));
      }
    }
    return rows;
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

function schemaOf({ name, type }: { name: string; type: ParquetType }): SchemaElement[] {
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
function storedValues(name: string, data: Values, type: ParquetType): unknown[] {
  const values = Array.from<unknown>(data);
  const scalar = elementType(type);
  const check = (value: unknown, row: number): unknown => {
    if (!fits(value, scalar))
      throw new RangeError(`column ${name}, row ${row}: ${String(value)} is not ${scalar}`);
    return value;
  };
  if (!isList(type)) return values.map(check);
  return values.map((list, row) => {
    if (!isArrayLike(list)) throw new RangeError(`column ${name}, row ${row}: ${String(list)} is not a list`);
    return Array.from(list, (value) => check(value, row));
  });
}

function fits(value: unknown, type: ScalarType): boolean {
  if (type === 'STRING') return typeof value === 'string';
  if (type === 'BOOLEAN') return typeof value === 'boolean';
  if (type === 'INT64') return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
  if (type === 'INT32') return typeof value === 'number' && (value | 0) === value;
  return typeof value === 'number';
}

function guessType(name: string, data: Values): ParquetType {
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

function isArrayLike(value: unknown): value is Values {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isList(type: ParquetType): boolean {
  return type.endsWith('[]');
}

/** The type of a list's elements; of a scalar type, itself. */
function elementType(type: ParquetType): ScalarType {
  return type.replace('[]', '') as ScalarType;
}
