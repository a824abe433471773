/** Questions to the server's lab, and its answers checked. It must not know what is done with them. */
import type * as z from 'zod';
import { InputError } from '../../../src/formats/errors.ts';
import { validate } from '../../../src/formats/validate.ts';
import {
  type ContinueAnswer,
  continueAnswer,
  type Edit,
  type EffectAnswer,
  effectAnswer,
  type ReadAnswer,
  readAnswer,
} from '../../../src/server/labSchema.ts';
import { DataError } from '../data/fetch.ts';
import type { Writing } from './address.ts';

/** A run and a text. */
export interface Asked {
  readonly run: string;
  readonly text: string;
}

export function askReading(asked: Asked, signal: AbortSignal): Promise<ReadAnswer> {
  return ask('read', readAnswer, asked, signal);
}

export function askEffect(asked: Asked, edits: readonly Edit[], signal: AbortSignal): Promise<EffectAnswer> {
  return ask('effect', effectAnswer, { ...asked, edits }, signal);
}

export function askContinuation(
  asked: Asked,
  edits: readonly Edit[],
  writing: Writing,
  signal: AbortSignal,
): Promise<ContinueAnswer> {
  return ask('continue', continueAnswer, { ...asked, edits, ...writing }, signal);
}

/** DataError where the server cannot be reached, refuses, or answers something else. */
async function ask<S extends z.ZodType>(
  what: string,
  schema: S,
  question: object,
  signal: AbortSignal,
): Promise<z.output<S>> {
  const response = await fetch(new URL(`api/lab/${what}`, document.baseURI), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal,
  }).catch((error: Error) => {
    signal.throwIfAborted();
    throw new DataError(`the lab cannot be reached: ${error.message}; is the server still there?`);
  });
  const said: unknown = await response.json().catch(() => undefined);
  signal.throwIfAborted();
  if (!response.ok)
    throw new DataError(
      typeof said === 'object' && said !== null && 'error' in said
        ? String(said.error)
        : `the server answered ${response.status} ${response.statusText}`,
    );
  try {
    return validate(schema, said, `answer to ${what}`);
  } catch (error) {
    if (error instanceof InputError) throw new DataError(error.message);
    throw error;
  }
}
