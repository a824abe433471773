/** The knee of a curve of reconstruction against sparsity. It must not know what either is. */

/**
 * How far each point of FVU against L0 lies below the straight line from the first point to the last, both axes logarithmic:
 * `ln chord(L0) - ln FVU`, 0 at both ends, negative above the line. Where it is greatest is the knee (Satopaa et al., "Finding a
 * 'kneedle' in a haystack", 2011). L0 ascending; both > 0, else NaN.
 */
export function belowChord(l0: readonly number[], fvu: readonly number[]): number[] {
  const [x, y] = [l0.map(Math.log), fvu.map(Math.log)];
  const last = x.length - 1;
  return x.map((at, i) => {
    const value = y[0] + ((at - x[0]) / (x[last] - x[0])) * (y[last] - y[0]) - y[i];
    return Number.isFinite(value) ? value : Number.NaN;
  });
}
