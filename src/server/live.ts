/** What runs in progress write, as it comes: a line of metrics each, and a word when a run begins, ends or goes further. */
import { setTimeout } from 'node:timers/promises';
import type { Progress } from '../explorer/catalogueSchema.ts';
import { scan } from '../explorer/scan.ts';
import { InputError } from '../formats/errors.ts';
import { readMetrics, readRun } from '../runs/directory.ts';

export type Told = { event: 'progress'; data: Progress } | { event: 'changed'; data: { run: string } };

/** Between two looks at the disk, in milliseconds. */
const PAUSE = 1000;

interface Seen {
  status: string;
  lines: number;
  tokens: number;
  at: number;
}

/** Goes on until `ended`. Runs that cannot be read are passed over: the catalogue says what is wrong with them. */
export async function* followRuns(root: string, ended: AbortSignal): AsyncGenerator<Told> {
  const seen = new Map<string, Seen>();
  for (let look = 0; !ended.aborted; look++) {
    for (const { path, directory } of (await scan(root)).runs) {
      const before = seen.get(path);
      // What has ended is looked at again only to see whether it goes on.
      const run = await orUndefined(readRun(directory));
      if (run === undefined) continue;
      const now: Seen = before ?? { status: run.status, lines: 0, tokens: 0, at: 0 };
      if (look > 0 && (before === undefined || before.status !== run.status))
        yield { event: 'changed', data: { run: path } };
      now.status = run.status;
      if (run.status === 'running') yield* newLines(path, directory, now);
      seen.set(path, now);
    }
    await setTimeout(PAUSE, undefined, { signal: ended }).catch(() => {});
  }
}

async function* newLines(path: string, directory: string, seen: Seen): AsyncGenerator<Told> {
  const lines = (await orUndefined(readMetrics(directory))) ?? [];
  const last = lines.at(-1);
  if (last === undefined || lines.length === seen.lines) return;
  const at = performance.now();
  const rate =
    seen.at > 0 && last.tokens > seen.tokens ? (last.tokens - seen.tokens) / ((at - seen.at) / 1000) : null;
  Object.assign(seen, { lines: lines.length, tokens: last.tokens, at });
  const { step, tokens, loss, fvu, l0, dead } = last;
  yield {
    event: 'progress',
    data: { run: path, step, tokens, loss, fvu, l0, dead, tokensPerSecond: rate },
  };
}

async function orUndefined<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
