/** Seconds of the phases of a run, put together from short measurements and counts; and the memory of the process. */
import { aloneSeconds, NO_TIME, type Seconds, sum, timed, times } from '../clock.ts';
import { collectGarbage, peakMemory } from '../processMemory.ts';

/** Runs that do not count: they compile what the others run, and touch memory for the first time. */
const WARM_UP = 2;

/**
 * Mean of the runs of `work` after the first, which do not count: at least `least`, and no more than `most` or than fit into
 * `seconds` of a machine of one's own.
 */
export async function meanTime(
  work: (run: number) => Promise<unknown>,
  { least, most, seconds }: { least: number; most: number; seconds: number },
): Promise<Seconds> {
  for (let run = 0; run < WARM_UP; run++) await work(run);
  let [count, all] = [0, NO_TIME];
  while (count < least || (count < most && aloneSeconds(all) < seconds)) {
    all = sum(all, await timed(() => work(WARM_UP + count)));
    count++;
  }
  return times(all, 1 / count);
}

/** Collects what a rehearsal finds, phase by phase, under the names that a run's timing has. */
export class Meter {
  readonly phases: Record<string, Seconds> = {};
  /** Peak resident set at the end of each phase, in bytes. */
  readonly memory: Record<string, number> = {};

  /** Adds to a phase what was measured, `count` times. */
  add(phase: string, seconds: Seconds, count = 1): void {
    this.phases[phase] = sum(this.phases[phase] ?? NO_TIME, times(seconds, count));
    this.memory[phase] = peakMemory();
    collectGarbage();
  }

  /** Does `work` as a phase that a run does `count` times. */
  async measure<T>(phase: string, count: number, work: () => Promise<T>): Promise<T> {
    const { result, ...seconds } = await timed(work);
    this.add(phase, seconds, count);
    return result;
  }
}
