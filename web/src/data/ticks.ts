/** Round numbers along an axis. */

/** Some multiples of 1, 2 or 5 times a power of ten in `[from, to]`: about `count` of them, at least one where there is room. */
export function ticksOf(from: number, to: number, count = 3): number[] {
  const rough = (to - from) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const ticks: number[] = [];
  // Multiples rather than sums, which would drift.
  for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}
