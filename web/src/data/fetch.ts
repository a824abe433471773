/**
 * Files beside the page, checked before anything looks at them. What is wrong becomes a `DataError` with a message for people.
 * It must not know what the files mean.
 */
import type * as z from 'zod';
import { InputError } from '../../../src/formats/errors.ts';
import { validate } from '../../../src/formats/validate.ts';

/** Something that was to be shown cannot be; its message says which file, and why. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** Larger JSON than this is no file of ours. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The address of a file of a run or an entry. */
export function fileAddress(path: string, file: string): string {
  const parts = [...path.split('/'), file].map(encodeURIComponent).join('/');
  return new URL(`data/files/${parts}`, document.baseURI).href;
}

/** The JSON at `address` as `schema` reads it; `name` is what people call it. */
export async function fetchJson<S extends z.ZodType>(
  schema: S,
  address: string,
  name: string,
): Promise<z.output<S>> {
  const text = await fetchText(address, name);
  try {
    return validate(schema, JSON.parse(text), name);
  } catch (error) {
    if (error instanceof InputError) throw new DataError(error.message);
    throw new DataError(`${name}: not JSON: ${(error as Error).message}`);
  }
}

/** The text at `address`. */
export async function fetchText(address: string, name: string): Promise<string> {
  const response = await fetch(address).catch((error: Error) => {
    throw new DataError(`${name}: cannot be reached: ${error.message}; is the server still there?`);
  });
  if (!response.ok) throw new DataError(`${name}: ${await reason(response)}`);
  if (Number(response.headers.get('content-length') ?? 0) > MOST_BYTES)
    throw new DataError(`${name}: larger than ${MOST_BYTES / 2 ** 20} MiB; expected a small file`);
  return response.text();
}

/** What the server says is wrong, or the status where it says nothing. */
async function reason(response: Response): Promise<string> {
  const said: unknown = await response.json().catch(() => undefined);
  if (typeof said === 'object' && said !== null && 'error' in said) return String(said.error);
  return `the server answered ${response.status} ${response.statusText}`;
}
