/**
 * How a command ends when it does not end well: exit code 2 where the command line or the configuration is at
 * fault, 1 for any other failure, 128 + the signal's number after a signal. It must not know of any command.
 */
import { CommanderError } from 'commander';
import { InputError } from '../formats/errors.ts';
import type { Output } from './terminal.ts';

/** A fault in the flags or the configuration. */
export class UsageError extends InputError {}

/** The work was stopped by a signal. The message says what was kept and how to go on. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM', message = 'stopped; nothing was left half-written') {
    super(message);
    this.signal = signal;
  }
}

/** The exit code of a process that this signal stopped. */
export function signalExitCode(signal: 'SIGINT' | 'SIGTERM'): number {
  return signal === 'SIGINT' ? 130 : 143;
}

/** Runs `read`, which looks at flags or a configuration: what it refuses is a usage error. */
export async function asUsage<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Tells a person what went wrong, and gives the exit code. */
export function explainFailure(error: unknown, err: Output): number {
  // Commander has already written its own message; help and the version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interruption) {
    err.write(`${error.message}\n`);
    return signalExitCode(error.signal);
  }
  if (error instanceof InputError) {
    err.write(`error: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.write(`${detail}\n\nThis is a fault in monosem. Please report it with the lines above.\n`);
  return 1;
}
