/** What a reconstruction leaves of whole rows in memory. It must not know what made them; `metrics.ts` has it with intervals. */

/** FVU, `sum |y - y'|^2 / sum |y - mean|^2` of `y` and `output [rows, width]`. RangeError where they are not as long. */
export function unexplained(output: ArrayLike<number>, y: ArrayLike<number>, width: number): number {
  if (output.length !== y.length)
    throw new RangeError(`output: ${output.length} values were given for ${y.length}`);
  const rows = y.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < y.length; i++) mean[i % width] += y[i] / rows;
  let [left, variance] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    left += (output[i] - y[i]) ** 2;
    variance += (y[i] - mean[i % width]) ** 2;
  }
  return left / variance;
}
