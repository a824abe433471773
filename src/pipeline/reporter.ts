/**
 * How long work tells whoever watches. The pipeline reports; the command line draws, tests listen, and a library
 * user may pass nothing. It must not know of terminals.
 */

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

/** Wall and processor time of named phases, in seconds; a phase that comes again adds up. */
export class Stopwatch {
  readonly timing: Record<string, { wallSeconds: number; cpuSeconds: number }> = {};

  /** Runs `work` as a phase that is reported and timed. */
  async phase<T>(
    reporter: Reporter,
    name: string,
    unit: string,
    work: (update: PhaseReporter['update']) => Promise<T>,
  ): Promise<T> {
    const phase = reporter.begin(name, unit);
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    try {
      return await work(phase.update);
    } finally {
      phase.end();
      const used = process.cpuUsage(cpu);
      const before = this.timing[name] ?? { wallSeconds: 0, cpuSeconds: 0 };
      this.timing[name] = {
        wallSeconds: before.wallSeconds + (performance.now() - wall) / 1e3,
        cpuSeconds: before.cpuSeconds + (used.user + used.system) / 1e6,
      };
    }
  }
}
