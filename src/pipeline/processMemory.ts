/** The memory of this process. It must not know what is held in it. */
import { runInNewContext } from 'node:vm';

/** The largest resident set that this process has had, in bytes; Node gives kilobytes on every platform. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/**
 * Collects garbage now, where the process was started so that it can be (the command line is, by `--expose-gc`), and does nothing
 * elsewhere: arrays outside of V8's heap count little for V8, and would stay until long after they are of use.
 */
export function collectGarbage(): void {
  // The flag, set in a running process, shows in contexts that are made afterwards.
  const collect = runInNewContext('typeof gc === "function" ? gc : undefined') as (() => void) | undefined;
  collect?.();
}
