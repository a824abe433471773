/**
 * The prompt lab over HTTP: a question and an answer in JSON each. Labs are opened when they are first asked, a few are kept, and
 * each answers one question at a time. It must not know where runs are.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod';
import { InputError } from '../formats/errors.ts';
import { validate } from '../formats/validate.ts';
import type { Lab } from '../pipeline/lab.ts';
import {
  type ContinueAnswer,
  continueRequest,
  type EffectAnswer,
  effectRequest,
  type ReadAnswer,
  readRequest,
} from './labSchema.ts';

const MOST_BYTES = 64 * 1024;
/** A lab holds a model in memory. */
const MOST_OPEN = 2;
/** What others call a request whose client has gone; nobody reads it. */
const CLIENT_GONE = 499;

/** `openLabFor` opens the lab of a run by the name that requests give; its InputError becomes the answer. */
export function labRoutes(openLabFor: (run: string) => Promise<Lab>): Hono {
  const app = new Hono();
  const labs = keptLabs(openLabFor);
  app.use(
    bodyLimit({
      maxSize: MOST_BYTES,
      onError: (c) =>
        c.json({ error: `the request is larger than ${MOST_BYTES / 1024} kB; shorten the text` }, 413),
    }),
  );
  const answer = <S extends z.ZodType<{ run: string }>>(
    path: string,
    schema: S,
    work: (lab: Lab, request: z.output<S>, signal: AbortSignal) => Promise<object>,
  ): void => {
    app.post(path, async (c) => {
      const { signal } = c.req.raw;
      try {
        const request = validate(schema, await jsonOf(c), 'request');
        return c.json(await labs.ask(request.run, signal, (lab) => work(lab, request, signal)));
      } catch (error) {
        if (error instanceof InputError) return c.json({ error: error.message }, 400);
        if (signal.aborted) return new Response(null, { status: CLIENT_GONE });
        throw error;
      }
    });
  };
  answer('/read', readRequest, (lab, { text }): Promise<ReadAnswer> => lab.read(text));
  answer(
    '/effect',
    effectRequest,
    (lab, { text, edits, position }): Promise<EffectAnswer> => lab.effect(text, edits, { position }),
  );
  answer(
    '/continue',
    continueRequest,
    (lab, { text, edits, tokens, temperature, seed }, signal): Promise<ContinueAnswer> =>
      lab.continue(text, edits, { tokens, temperature, seed, signal }),
  );
  return app;
}

async function jsonOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`request: expected JSON: ${(error as Error).message}`);
  }
}

/** Keeps the labs that were asked last, and lets each answer one question after the other. */
function keptLabs(openLabFor: (run: string) => Promise<Lab>) {
  /** By run, the one that was asked last at the end. */
  const kept = new Map<string, { readonly lab: Promise<Lab>; last: Promise<unknown> }>();
  const keptFor = (run: string) => {
    const found = kept.get(run) ?? { lab: openLabFor(run), last: Promise.resolve() };
    kept.delete(run);
    kept.set(run, found);
    // One that could not be opened is tried anew the next time.
    found.lab.catch(() => kept.get(run) === found && kept.delete(run));
    for (const other of [...kept.keys()].slice(0, -MOST_OPEN)) kept.delete(other);
    return found;
  };
  return {
    async ask<T>(run: string, signal: AbortSignal, work: (lab: Lab) => Promise<T>): Promise<T> {
      const mine = keptFor(run);
      const lab = await mine.lab;
      const before = mine.last;
      const answered = before.then(() => {
        signal.throwIfAborted();
        return work(lab);
      });
      mine.last = answered.catch(() => {});
      return answered;
    },
  };
}
