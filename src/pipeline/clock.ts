/**
 * Time that work takes: on the wall, of processors, and lost in waiting for one. The last tells a slow program from a busy
 * machine. It must not know what is timed.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Seconds {
  readonly wallSeconds: number;
  /** Of all threads together. */
  readonly cpuSeconds: number;
  /** Threads that could have run and had no processor, together; 0 where the system does not say (Linux does). */
  readonly waitSeconds: number;
}

export const NO_TIME: Seconds = { wallSeconds: 0, cpuSeconds: 0, waitSeconds: 0 };

/** Starts a clock; the function that it gives tells what has passed since. */
export function startClock(): () => Seconds {
  const [wall, cpu, wait] = [performance.now(), process.cpuUsage(), waited()];
  return () => {
    const used = process.cpuUsage(cpu);
    return {
      wallSeconds: (performance.now() - wall) / 1e3,
      cpuSeconds: (used.user + used.system) / 1e6,
      // A thread that has ended takes its part with it.
      waitSeconds: Math.max(0, waited() - wait),
    };
  };
}

/** Does `work` and takes its time. */
export async function timed<T>(work: () => Promise<T>): Promise<Seconds & { result: T }> {
  const clock = startClock();
  const result = await work();
  return { result, ...clock() };
}

export function times({ wallSeconds, cpuSeconds, waitSeconds }: Seconds, count: number): Seconds {
  return {
    wallSeconds: wallSeconds * count,
    cpuSeconds: cpuSeconds * count,
    waitSeconds: waitSeconds * count,
  };
}

export function sum(...all: readonly Seconds[]): Seconds {
  return all.reduce(
    (total, one) => ({
      wallSeconds: total.wallSeconds + one.wallSeconds,
      cpuSeconds: total.cpuSeconds + one.cpuSeconds,
      waitSeconds: total.waitSeconds + one.waitSeconds,
    }),
    NO_TIME,
  );
}

/**
 * About what the same would have taken on the wall with nobody else on the machine: its threads were ready for cpu + wait
 * seconds and ran for cpu of them.
 */
export function aloneSeconds(seconds: Omit<Seconds, 'waitSeconds'> & Partial<Seconds>): number {
  const { wallSeconds, cpuSeconds, waitSeconds = 0 } = seconds;
  return cpuSeconds === 0 ? wallSeconds : (wallSeconds * cpuSeconds) / (cpuSeconds + waitSeconds);
}

/** Seconds that this process's threads have waited for a processor: the second number of each `schedstat`, see proc(5). */
function waited(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return readdirSync('/proc/self/task').reduce((total, thread) => total + waitOf(thread), 0);
  } catch {
    return 0;
  }
}

function waitOf(thread: string): number {
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch {
    // It has ended since it was listed.
    return 0;
  }
}
