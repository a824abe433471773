/** What every reader of a peer's files gives, and how their JSON is read. It must not know any one format. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import { checkJsonKeys } from '../../formats/json.ts';
import type { Dictionary } from '../dictionary.ts';

export const FORMATS = [
  'saelens',
  'dictionary-learning',
  'sparsify',
  'gemma-scope',
  'openai',
  'circuit-tracer',
] as const;

export type Format = (typeof FORMATS)[number];

/** A dictionary from a peer's files. Its `encode` and `decode` give what the peer's own give. */
export interface Opened {
  readonly format: Format;
  /** In the peer's own word: SAELens' `jumprelu`, dictionary_learning's `BatchTopKSAE`. */
  readonly architecture: string;
  readonly dictionary: Dictionary;
  /** What the files say about where it belongs, in SAELens' names where they have one for it. */
  readonly metadata: Record<string, unknown>;
  /** What a person should know who uses it. */
  readonly notes: readonly string[];
}

const MAX_DEPTH = 32;

/** The JSON object in a file. InputError where it is none, or where a key is given twice. */
export async function readJsonObject(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw explainSystemError(error, 'read', file);
  });
  let json: unknown;
  try {
    checkJsonKeys(text, MAX_DEPTH);
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError(`${file}: expected one JSON object`);
  }
  return json as Record<string, unknown>;
}

/** `json` as `schema` reads it. InputError names the file, the field, what was found and what was expected. */
export function parseFields<S extends z.ZodType>(schema: S, json: object, file: string): z.output<S> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const found = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    json,
  );
  const field = issue.path.join('.') || 'the whole file';
  if (found === undefined) throw new InputError(`${file}: ${field} is missing`);
  throw new InputError(`${file}: ${field} is ${shown(found)}: ${issue.message}`);
}

function shown(value: unknown): string {
  return (typeof value === 'number' ? String(value) : JSON.stringify(value)).slice(0, 80);
}

/** A size in a configuration: it is compared with the tensors' before it counts for anything. */
export const size = z.int().positive();
