/** What an experiment predicted of a finding, in words. It must not know what was found. */

/** `at most 3`, `at least 2`, `2 to 3`; empty where nothing was predicted. */
export function predictedText({ low, high }: { low?: number; high?: number } = {}): string {
  if (low === undefined && high === undefined) return '';
  if (low === undefined) return `at most ${high}`;
  return high === undefined ? `at least ${low}` : `${low} to ${high}`;
}
