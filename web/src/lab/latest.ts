/** Of questions that follow each other quickly only the latest is worth an answer. It must not know what is asked. */

/**
 * A function that waits `pause` milliseconds and then does `work`, unless it is called again before it is done: then the earlier call
 * is aborted and never settles anything: it gives undefined.
 */
export function latest(pause: number) {
  let running = new AbortController();
  return async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    try {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) return undefined;
      const result = await work(signal);
      return signal.aborted ? undefined : result;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };
}
