/**
 * features.parquet and examples.parquet, as plain tables that DuckDB and pandas read: names in snake case, token
 * texts and activations as lists. It must not know how latents are found or shown.
 */

import { join } from 'node:path';
import type * as z from 'zod';
import { readParquetGroups, writeParquetGroups } from '../formats/parquet.ts';
import { validate } from '../formats/validate.ts';
import { type Columns, EXAMPLE_COLUMNS, FEATURE_COLUMNS } from './columns.ts';
import { exists, RUN_FILES } from './directory.ts';
import { type Example, exampleSchema, type Feature, featureSchema } from './schema.ts';

/** Rows of a row group: what is held in memory at once, and what a reader of one latent's examples has to decode. */
const GROUP_ROWS = 4096;

/** Writes features.parquet, a row for each latent. */
export async function writeFeatures(directory: string, features: readonly Feature[]): Promise<void> {
  await writeTable(join(directory, RUN_FILES.features), featureSchema, FEATURE_COLUMNS, features);
}

/** Reads features.parquet; undefined where the run has not come to it. */
export async function readFeatures(directory: string): Promise<Feature[] | undefined> {
  return readTable(join(directory, RUN_FILES.features), featureSchema, FEATURE_COLUMNS);
}

/** Writes examples.parquet, a row for each (latent, example), as they come. */
export async function writeExamples(
  directory: string,
  examples: Iterable<Example> | AsyncIterable<Example>,
): Promise<void> {
  await writeTable(join(directory, RUN_FILES.examples), exampleSchema, EXAMPLE_COLUMNS, examples);
}

/**
 * Reads examples.parquet, of `latents` only where given, without decoding the row groups that hold none of theirs;
 * undefined where the run has not come to it.
 */
export async function readExamples(
  directory: string,
  latents?: ReadonlySet<number>,
): Promise<Example[] | undefined> {
  const wanted = latents && { key: 'latent' as const, among: latents };
  return readTable(join(directory, RUN_FILES.examples), exampleSchema, EXAMPLE_COLUMNS, wanted);
}

/** Writes `rows`, checked, as they come, `groupRows` to a row group. */
export async function writeTable<Row extends object>(
  path: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  rows: Iterable<Row> | AsyncIterable<Row>,
  groupRows = GROUP_ROWS,
): Promise<void> {
  const typed = Object.values<Columns<Row>[keyof Row]>(columns).map(({ column, type }) => ({
    name: column,
    type,
  }));
  await writeParquetGroups(path, typed, rowGroups(path, schema, columns, rows, groupRows));
}

/** The rows, checked, as the values of each column, `groupRows` at a time. */
async function* rowGroups<Row extends object>(
  path: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  rows: Iterable<Row> | AsyncIterable<Row>,
  groupRows: number,
): AsyncGenerator<unknown[][]> {
  const keys = Object.keys(columns) as (keyof Row)[];
  let group: unknown[][] = keys.map(() => []);
  let count = 0;
  for await (const row of rows) {
    validate(schema, row, `${path}, row ${count++}`);
    for (const [k, key] of keys.entries()) {
      const value = row[key];
      group[k].push(columns[key].type === 'INT64' ? BigInt(value as number) : value);
    }
    if (group[0].length < groupRows) continue;
    yield group;
    group = keys.map(() => []);
  }
  if (group[0].length > 0) yield group;
}

/** Reads a table, checked, of the rows that are `wanted` only where given; undefined where there is no file. */
export async function readTable<Row extends object>(
  path: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  wanted?: { key: keyof Row; among: ReadonlySet<number> },
): Promise<Row[] | undefined> {
  if (!(await exists(path))) return undefined;
  const keys = Object.keys(columns) as (keyof Row)[];
  const names = keys.map((key) => columns[key].column);
  const where = wanted && { column: columns[wanted.key].column, among: wanted.among };
  const table: Row[] = [];
  for await (const group of readParquetGroups(path, { columns: names, where })) {
    const data = names.map((name) => group.columns.get(name)!);
    const chosen = where && group.columns.get(where.column)!;
    for (let i = 0; i < group.rows; i++) {
      if (chosen && !wanted.among.has(chosen[i])) continue;
      const row = Object.fromEntries(keys.map((key, k) => [key, plain(data[k][i])]));
      table.push(validate(schema, row, `${path}, row ${group.firstRow + i}`));
    }
  }
  return table;
}

/** Parquet's 64-bit integers and typed lists as the schemas have them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
}
