/**
 * One experiment in a process of its own, on one thread: `experimentsApart` starts it, says which, and hears how far it has
 * come. It must not know of the others that are under way.
 */
import { experimentOf } from '../experiments/index.ts';
import { runExperiment } from '../experiments/runExperiment.ts';
import { InputError } from '../formats/errors.ts';
import { loadBackend } from '../kernels/index.ts';
import { Stopwatch, silent } from '../pipeline/reporter.ts';
import type { ExperimentNews, ExperimentOrder } from './experimentsApart.ts';
import { setUpHeap } from './heap.ts';

/** Milliseconds between two pieces of news. */
const NEWS_EVERY = 500;

setUpHeap();

/** Tells of a phase how much of it is done. */
function telling() {
  let last = 0;
  return {
    update(done: number, total: number) {
      const now = performance.now();
      if (now - last < NEWS_EVERY) return;
      last = now;
      process.send?.({ kind: 'share', share: done / total } satisfies ExperimentNews);
    },
    end: () => {},
  };
}

async function carryOut({ name, ...options }: ExperimentOrder): Promise<ExperimentNews> {
  const bench = {
    backend: loadBackend({ threads: 1 }),
    reporter: { ...silent, begin: telling },
    stopwatch: new Stopwatch(),
  };
  try {
    return { kind: 'entry', entry: await runExperiment(bench, experimentOf(name), options) };
  } catch (error) {
    const { message, stack } = error as Error;
    const input = error instanceof InputError;
    return { kind: 'failure', message: input ? message : stack!, input };
  }
}

// A terminal sends Ctrl-C to all of its processes; when to stop is for the one that started this to say.
process.on('SIGINT', () => {});
// That one is gone.
process.on('disconnect', () => process.exit());
process.once('message', async (order: ExperimentOrder) => {
  process.send?.(await carryOut(order), () => process.exit());
});
