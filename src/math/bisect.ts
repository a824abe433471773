/** Where an increasing function crosses a level. It must not know what the function is of. */

/**
 * The x in `[low, high]` at which an increasing `f` reaches `level`, to the last bit or so; `low` where it is there
 * already, `high` where it never gets there. RangeError where the ends are not finite or not in order.
 */
export function bisect(f: (x: number) => number, level: number, low: number, high: number): number {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high))
    throw new RangeError(`an interval to bisect has a lower and an upper end, not ${low} and ${high}`);
  if (f(low) >= level) return low;
  if (f(high) < level) return high;
  let [below, above] = [low, high];
  for (;;) {
    const middle = below + (above - below) / 2;
    if (middle <= below || middle >= above) return above;
    if (f(middle) < level) below = middle;
    else above = middle;
  }
}
