/** Sets a command that computes to work: backend, progress, stopwatch, and a signal that Ctrl-C aborts. */
import { loadBackend } from '../kernels/index.ts';
import { nativeProblem } from '../kernels/native.ts';
import { Stopwatch } from '../pipeline/reporter.ts';
import type { Workbench } from '../pipeline/subject.ts';
import { asUsage } from './failure.ts';
import { terminalReporter } from './progress.ts';
import { interruptible } from './signals.ts';
import type { Terminal } from './terminal.ts';

export async function withBench<T>(terminal: Terminal, work: (bench: Workbench) => Promise<T>): Promise<T> {
  const backend = await asUsage(() => loadBackend());
  const reporter = terminalReporter(terminal.err);
  const problem = nativeProblem();
  if (backend.name === 'reference' && problem !== undefined) {
    reporter.note(`the C++ kernels are not built, plain TypeScript works many times slower: ${problem}`);
  }
  return interruptible(terminal, reporter.note, (signal) =>
    work({ backend, reporter, stopwatch: new Stopwatch(), signal }),
  );
}
