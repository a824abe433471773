/**
 * Parts of a page that come from files of their own: one that is not there or cannot be read must not take the others with it.
 * It must not know what parts mean.
 */
import type * as z from 'zod';
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { validate } from '../../../src/formats/validate.ts';
import { DataError, fetchJson, fileAddress } from './fetch.ts';
import { hasFile } from './tables.ts';

/** What a part holds, that the run has not come to it, or why it cannot be read. */
export type Part<T> =
  | { readonly is: 'there'; readonly value: T }
  | { readonly is: 'missing' }
  | { readonly is: 'broken'; readonly error: string };

/** What `read` gives where the run has all of `files`. Never rejects for what a file says. */
export async function partOf<T>(
  run: ListedRun,
  files: readonly string[],
  read: () => Promise<T>,
): Promise<Part<T>> {
  if (!files.every((file) => hasFile(run, file))) return { is: 'missing' };
  try {
    return { is: 'there', value: await read() };
  } catch (error) {
    if (error instanceof DataError) return { is: 'broken', error: error.message };
    throw error;
  }
}

/** The value of a part that is there. */
export function held<T>(part: Part<T>): T | undefined {
  return part.is === 'there' ? part.value : undefined;
}

/** A small JSON file of a run as a part. */
export function jsonPart<S extends z.ZodType>(
  run: ListedRun,
  file: string,
  schema: S,
): Promise<Part<z.output<S>>> {
  return partOf(run, [file], () => fetchJson(schema, fileAddress(run.path, file), `${run.path}/${file}`));
}

/** Rows of a table as `schema` has them, lists as plain arrays. DataError names the row and the field. */
export function checkedRows<S extends z.ZodType>(
  schema: S,
  rows: readonly object[],
  name: string,
): z.output<S>[] {
  try {
    return rows.map((row, i) => validate(schema, plain(row), `${name}, row ${i} of those read`));
  } catch (error) {
    if (error instanceof InputError) throw new DataError(error.message);
    throw error;
  }
}

function plain(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, ArrayBuffer.isView(value) ? numbersIn(value) : value]),
  );
}

function numbersIn(view: ArrayBufferView): number[] {
  return Array.from(view as unknown as ArrayLike<number | bigint>, Number);
}
