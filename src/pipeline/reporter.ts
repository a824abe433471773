/**
 * How long work tells whoever watches. The pipeline reports; the command line draws, tests listen, and a library
 * user may pass nothing. It must not know of terminals.
 */
import { NO_TIME, type Seconds, startClock, sum } from './clock.ts';
import { collectGarbage, peakMemory } from './processMemory.ts';

export interface Reporter {
  /** A phase of known length has begun. `update` may come often; `end` comes once, also after a failure. */
  begin(phase: string, unit: string): PhaseReporter;
  /** One line that a person should read. */
  note(line: string): void;
}

export interface PhaseReporter {
  /** `details` are figures worth watching, such as the loss. */
  update(done: number, total: number, details?: Readonly<Record<string, number>>): void;
  end(): void;
}

export const silent: Reporter = {
  begin: () => ({ update: () => {}, end: () => {} }),
  note: () => {},
};

/**
 * Wall and processor time of named phases, in seconds, where a phase that comes again adds up; and the most memory that the
 * process had held by the end of each.
 */
export class Stopwatch {
  readonly timing: Record<string, Seconds> = {};
  /** Peak resident set of the process so far, in bytes, when each phase first ended. */
  readonly memory: Record<string, number> = {};

  /** Takes up the times of a run that was interrupted. */
  goOn(timing: Readonly<Record<string, Omit<Seconds, 'waitSeconds'>>>): void {
    for (const [name, seconds] of Object.entries(timing)) this.timing[name] = { ...NO_TIME, ...seconds };
  }

  /** Runs `work` as a phase that is reported and timed. What it leaves behind is collected. */
  async phase<T>(
    reporter: Reporter,
    name: string,
    unit: string,
    work: (update: PhaseReporter['update']) => Promise<T>,
  ): Promise<T> {
    const phase = reporter.begin(name, unit);
    const clock = startClock();
    try {
      return await work(phase.update);
    } finally {
      phase.end();
      collectGarbage();
      this.timing[name] = sum(this.timing[name] ?? NO_TIME, clock());
      this.memory[name] ??= peakMemory();
    }
  }
}

/** Runs `work` as a phase that is timed but not reported: it is too short, or of no known length. */
export function unreported<T>(stopwatch: Stopwatch, name: string, work: () => Promise<T>): Promise<T> {
  return stopwatch.phase(silent, name, '', work);
}
