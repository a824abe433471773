/**
 * features.parquet and examples.parquet, as plain tables that DuckDB and pandas read: names in snake case, token
 * texts and activations as lists. It must not know how latents are found or shown.
 */

import { join } from 'node:path';
import type * as z from 'zod';
import { type ParquetType, readParquet, writeParquet } from '../formats/parquet.ts';
import { exists, RUN_FILES } from './directory.ts';
import { type Example, exampleSchema, type Feature, featureSchema } from './schema.ts';
import { validate } from './validate.ts';

type Columns<Row> = { [Key in keyof Required<Row>]: { column: string; type: ParquetType } };

const FEATURE_COLUMNS: Columns<Feature> = {
  latent: { column: 'latent', type: 'INT32' },
  density: { column: 'density', type: 'DOUBLE' },
  firings: { column: 'firings', type: 'INT64' },
  maxActivation: { column: 'max_activation', type: 'FLOAT' },
  meanActivation: { column: 'mean_activation', type: 'FLOAT' },
  promotedTokens: { column: 'promoted_tokens', type: 'STRING[]' },
  promotedLogits: { column: 'promoted_logits', type: 'FLOAT[]' },
  suppressedTokens: { column: 'suppressed_tokens', type: 'STRING[]' },
  suppressedLogits: { column: 'suppressed_logits', type: 'FLOAT[]' },
  topTokens: { column: 'top_tokens', type: 'STRING[]' },
};

const EXAMPLE_COLUMNS: Columns<Example> = {
  latent: { column: 'latent', type: 'INT32' },
  kind: { column: 'kind', type: 'STRING' },
  quantile: { column: 'quantile', type: 'INT32' },
  rank: { column: 'rank', type: 'INT32' },
  document: { column: 'document', type: 'INT32' },
  sequence: { column: 'sequence', type: 'INT32' },
  position: { column: 'position', type: 'INT32' },
  activation: { column: 'activation', type: 'FLOAT' },
  tokens: { column: 'tokens', type: 'STRING[]' },
  activations: { column: 'activations', type: 'FLOAT[]' },
  focus: { column: 'focus', type: 'INT32' },
};

/** Writes features.parquet, a row for each latent. */
export async function writeFeatures(directory: string, features: readonly Feature[]): Promise<void> {
  await writeTable(join(directory, RUN_FILES.features), featureSchema, FEATURE_COLUMNS, features);
}

/** Reads features.parquet; undefined where the run has not come to it. */
export async function readFeatures(directory: string): Promise<Feature[] | undefined> {
  return readTable(join(directory, RUN_FILES.features), featureSchema, FEATURE_COLUMNS);
}

/** Writes examples.parquet, a row for each (latent, example). */
export async function writeExamples(directory: string, examples: readonly Example[]): Promise<void> {
  await writeTable(join(directory, RUN_FILES.examples), exampleSchema, EXAMPLE_COLUMNS, examples);
}

/** Reads examples.parquet, of `latents` only where given; undefined where the run has not come to it. */
export async function readExamples(
  directory: string,
  latents?: ReadonlySet<number>,
): Promise<Example[] | undefined> {
  const wanted = latents && ((row: Record<string, unknown>) => latents.has(row.latent as number));
  return readTable(join(directory, RUN_FILES.examples), exampleSchema, EXAMPLE_COLUMNS, wanted);
}

async function writeTable<Row extends object>(
  path: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  rows: readonly Row[],
): Promise<void> {
  for (const [i, row] of rows.entries()) validate(schema, row, `${path}, row ${i}`);
  const keys = Object.keys(columns) as (keyof Row)[];
  await writeParquet(
    path,
    keys.map((key) => {
      const { column, type } = columns[key];
      const values = rows.map((row) => row[key]);
      return {
        name: column,
        type,
        data: type === 'INT64' ? values.map((value) => BigInt(value as number)) : values,
      };
    }),
  );
}

async function readTable<Row extends object>(
  path: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  wanted?: (row: Record<string, unknown>) => boolean,
): Promise<Row[] | undefined> {
  if (!(await exists(path))) return undefined;
  const keys = Object.keys(columns) as (keyof Row & string)[];
  const stored = await readParquet(
    path,
    keys.map((key) => columns[key].column),
  );
  const rows: Row[] = [];
  for (const [i, row] of stored.entries()) {
    if (wanted && !wanted(row)) continue;
    const named = Object.fromEntries(keys.map((key) => [key, plain(row[columns[key].column])]));
    rows.push(validate(schema, named, `${path}, row ${i}`));
  }
  return rows;
}

/** Parquet's 64-bit integers and typed lists as the schemas have them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
}
