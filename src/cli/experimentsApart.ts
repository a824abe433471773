/**
 * Experiments side by side, each in a process of its own on one thread: most work on models so small that threads wait for each
 * other more than they compute. The same seed gives the same findings that one process with all threads has. It must not know of
 * the command that asks.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { experimentOf } from '../experiments/index.ts';
import type { ExperimentOptions } from '../experiments/runExperiment.ts';
import { InputError } from '../formats/errors.ts';
import { inTurns } from '../kernels/inTurns.ts';
import type { Workbench } from '../pipeline/subject.ts';
import { duration } from '../report/numbers.ts';
import type { Entry } from '../runs/entrySchema.ts';

/** What an experiment's process is told. */
export type ExperimentOrder = ExperimentOptions & { readonly name: string };

/** What it tells: how far it has come, and at last one of the others. */
export type ExperimentNews =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'failure'; readonly message: string; readonly input: boolean };

const PROGRAM = fileURLToPath(new URL('./experimentProcess.js', import.meta.url));

/**
 * The entries of the experiments named, in their order; as many are under way as the backend has threads, those that take longest
 * first, so that none is left to work alone at the end. Where one fails or the signal aborts, the others are stopped, and what has
 * ended keeps its entry.
 */
export async function experimentsApart(
  { backend, reporter, stopwatch, signal }: Workbench,
  names: readonly string[],
  options: ExperimentOptions,
): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const shares = new Map<string, number>();
  const failed = new AbortController();
  const stop = AbortSignal.any(signal ? [signal, failed.signal] : [failed.signal]);
  await stopwatch.phase(reporter, 'experiments', 'experiments', async (update) => {
    const places = new Array<undefined>(Math.min(backend.threads, names.length)).fill(undefined);
    const longestFirst = [...names].sort((a, b) => experimentOf(b).minutes - experimentOf(a).minutes);
    await inTurns(places, longestFirst, async (_, name) => {
      stop.throwIfAborted();
      try {
        const entry = await resultOf({ name, ...options }, stop, (share) => {
          shares.set(name, share);
          update(
            [...shares.values()].reduce((sum, each) => sum + each, 0),
            names.length,
          );
        });
        entries.set(name, entry);
        reporter.note(`${name}: ${entry.verdict} (${duration(entry.seconds)})`);
      } catch (error) {
        stop.throwIfAborted();
        failed.abort(error);
        throw error;
      }
    });
  });
  return names.map((name) => entries.get(name)!);
}

async function resultOf(
  order: ExperimentOrder,
  stop: AbortSignal,
  onShare: (share: number) => void,
): Promise<Entry> {
  const child = fork(PROGRAM, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], signal: stop });
  let last: Exclude<ExperimentNews, { kind: 'share' }> | undefined;
  child.on('message', (news: ExperimentNews) => {
    if (news.kind === 'share') onShare(news.share);
    else last = news;
  });
  const ended = once(child, 'close');
  child.send(order);
  const [code, killedBy] = await ended;
  if (last?.kind === 'entry') {
    onShare(1);
    return last.entry;
  }
  if (last?.input) throw new InputError(last.message);
  throw new Error(
    last?.message ?? `the process of ${order.name} ended with ${killedBy ?? `exit code ${code}`}`,
  );
}
