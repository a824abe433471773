/**
 * The scale of an axis, told from where its ticks stand and what is written at them: how a drawing can be read without knowing how it
 * was made. It must not know of drawings.
 */

/** `text` is empty where the axis names only some of its ticks. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

export interface Axis {
  readonly valueAt: (at: number) => number;
  /** The same for people: what stands at 0 is 0. */
  readonly readAt: (at: number) => number;
  readonly placeOf: (value: number) => number;
}

/** Ticks stand at most this far from where a scale has them, and as much further as what is written is rounded. */
const TOLERANCE = 1.5;

/** What a scale does to values before it spreads them evenly. */
interface Warp {
  readonly there: (value: number) => number;
  readonly back: (warped: number) => number;
  readonly fits: (values: readonly number[], isEven: boolean) => boolean;
}

const LINEAR: Warp = { there: (value) => value, back: (warped) => warped, fits: (_, isEven) => isEven };
const LOG: Warp = {
  there: Math.log,
  back: Math.exp,
  fits: (values) => values.every((value) => value > 0),
};
/** Nearly linear up to a constant, logarithmic from there, on both sides of 0; a fit to less than four ticks would prove nothing. */
const symlog = (constant: number): Warp => ({
  there: (value) => Math.sign(value) * Math.log1p(Math.abs(value / constant)),
  back: (warped) => Math.sign(warped) * constant * Math.expm1(Math.abs(warped)),
  fits: (values) => values.length >= 4,
});
const WARPS = [LINEAR, LOG, ...[0.001, 0.01, 0.1, 1, 10, 100].map(symlog)];

/** A linear, logarithmic or symmetric logarithmic axis; undefined where the ticks are not those of any, or too few to tell. */
export function axisOf(ticks: readonly Tick[]): Axis | undefined {
  const named = ticks
    .map(({ at, text }) => ({ at, value: numberIn(text), rounding: roundingOf(text) }))
    .filter((tick): tick is typeof tick & { value: number } => tick.value !== undefined);
  if (named.length < 2 || ticks.length < 3) return undefined;
  const isEven = spread(ticks.map(({ at }) => at));
  const values = named.map(({ value }) => value);
  for (const { there, back, fits } of WARPS) {
    if (!fits(values, isEven)) continue;
    const line = straight(
      named.map(({ at, value, rounding }) => {
        const off = Math.abs(there(value + rounding) - there(value));
        return { at, value: there(value), off: Number.isFinite(off) ? off : 0 };
      }),
    );
    if (line === undefined) continue;
    const valueAt = (at: number) => back(line.inverse(at));
    return {
      valueAt,
      readAt: (at) => (values.includes(0) && Math.abs(line.forward(there(0)) - at) < 0.5 ? 0 : valueAt(at)),
      placeOf: (value) => line.forward(there(value)),
    };
  }
  return undefined;
}

/** Least squares of places on values; undefined where one of them stands too far off, or values are all the same. */
export function straight(ticks: readonly { at: number; value: number; off?: number }[]) {
  const mean = (of: (tick: { at: number; value: number }) => number) =>
    ticks.reduce((sum, tick) => sum + of(tick), 0) / ticks.length;
  const [value, at] = [mean((tick) => tick.value), mean((tick) => tick.at)];
  const slope =
    mean((tick) => (tick.value - value) * (tick.at - at)) / mean((tick) => (tick.value - value) ** 2);
  if (!Number.isFinite(slope) || slope === 0) return undefined;
  const forward = (x: number) => at + slope * (x - value);
  const reach = (off = 0) => TOLERANCE + Math.abs(slope) * off;
  if (ticks.some(({ at, value, off }) => Math.abs(forward(value) - at) > reach(off))) return undefined;
  return { forward, inverse: (place: number) => value + (place - at) / slope };
}

/** Whether all gaps are as wide. */
function spread(places: readonly number[]): boolean {
  const sorted = [...places].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((place, i) => place - sorted[i]);
  return Math.max(...gaps) - Math.min(...gaps) <= 2 * TOLERANCE;
}

const LETTERS: Record<string, number> = {
  '': 1,
  '%': 0.01,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  m: 1e-3,
  µ: 1e-6,
};

/** Half a unit of the last place that is written; a whole number is meant as it stands. */
function roundingOf(text: string): number {
  const places = /\.(\d+)/.exec(text)?.[1].length;
  return places === undefined ? 0 : 0.5 * 10 ** -places;
}

/** 0.5, −2, 1e−4, 20k, 12.3 M, 5 %; undefined where it is no number. */
export function numberIn(text: string): number | undefined {
  const match = /^([+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s?([kMGTmµ%]?)$/.exec(
    text.trim().replaceAll('−', '-'),
  );
  return match ? Number(match[1].replaceAll(',', '')) * LETTERS[match[2]] : undefined;
}
