/** Round numbers along an axis. */
import { decimal } from '../../../src/report/numbers.ts';

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Multiples of 1, 2 or 5 times a power of ten in `[from, to]`, about `count` of them, with as many places as tell them apart. */
export function ticksOf(from: number, to: number, count = 3): Tick[] {
  const rough = (to - from) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const places = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const ticks: Tick[] = [];
  // Multiples rather than sums, which would drift; an end of the axis may be one, but for rounding.
  const last = Math.floor(to / step + 1e-9);
  for (let i = Math.ceil(from / step - 1e-9); i <= last; i++)
    ticks.push({ at: i * step, text: decimal(i === 0 ? 0 : i * step, places) });
  return ticks;
}
