/** Ctrl-C and SIGTERM as an AbortSignal. The first asks the work to stop in order, a second one ends the process. */
import { Interruption, signalExitCode } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Runs `work` with a signal that aborts, with an `Interruption` as its reason, when the process is told to stop. */
export async function interruptible<T>(
  { signals, leave }: Terminal,
  note: (line: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const listen = (signal: 'SIGINT' | 'SIGTERM') => () => {
    if (controller.signal.aborted) return leave(signalExitCode(signal));
    note('stopping at the next safe place (Ctrl-C again leaves at once)');
    controller.abort(new Interruption(signal));
  };
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => ({ name, listener: listen(name) }));
  for (const { name, listener } of listeners) signals.on(name, listener);
  try {
    return await work(controller.signal);
  } finally {
    for (const { name, listener } of listeners) signals.off(name, listener);
  }
}
