/** Seconds of the phases of a run, put together from short measurements and counts; and the memory of the process. */
import { peakMemory } from '../reporter.ts';

export interface Seconds {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** Does `work` and takes its time. */
export async function timed<T>(work: () => Promise<T>): Promise<Seconds & { result: T }> {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const used = process.cpuUsage(cpu);
  return {
    result,
    wallSeconds: (performance.now() - wall) / 1e3,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

export function times({ wallSeconds, cpuSeconds }: Seconds, count: number): Seconds {
  return { wallSeconds: wallSeconds * count, cpuSeconds: cpuSeconds * count };
}

export function sum(...all: readonly Seconds[]): Seconds {
  return {
    wallSeconds: all.reduce((total, { wallSeconds }) => total + wallSeconds, 0),
    cpuSeconds: all.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
  };
}

/** Mean of the runs of `work` after a first one, which does not count: at least `least`, and as many as fit into `seconds`. */
export async function meanTime(
  work: (run: number) => Promise<unknown>,
  { least, seconds }: { least: number; seconds: number },
): Promise<Seconds> {
  await work(0);
  let [count, all] = [0, { wallSeconds: 0, cpuSeconds: 0 } as Seconds];
  while (count < least || all.wallSeconds < seconds) all = sum(all, await timed(() => work(++count)));
  return times(all, 1 / count);
}

/** Collects what a rehearsal finds, phase by phase, under the names that a run's timing has. */
export class Meter {
  readonly phases: Record<string, Seconds> = {};
  /** Peak resident set at the end of each phase, in bytes. */
  readonly memory: Record<string, number> = {};

  /** Adds to a phase what was measured, `count` times. */
  add(phase: string, seconds: Seconds, count = 1): void {
    this.phases[phase] = sum(this.phases[phase] ?? { wallSeconds: 0, cpuSeconds: 0 }, times(seconds, count));
    this.memory[phase] = peakMemory();
  }

  /** Does `work` as a phase that a run does `count` times. */
  async measure<T>(phase: string, count: number, work: () => Promise<T>): Promise<T> {
    const { result, ...seconds } = await timed(work);
    this.add(phase, seconds, count);
    return result;
  }
}
