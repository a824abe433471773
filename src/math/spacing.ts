/** Numbers at equal distances. It must not know what is done at each. */

/** `count` numbers from `low` to `high`, equally far apart in the logarithm. */
export function logarithmic(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}
