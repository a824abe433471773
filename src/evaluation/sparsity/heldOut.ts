/** The rows on which a sweep over sparsity is measured. It must not know what is measured. */

/** Held-out activations `x [rows, width]`. */
export interface HeldOut {
  readonly x: Float32Array;
  readonly rows: number;
  readonly width: number;
}

export function meanRow({ x, rows, width }: HeldOut): Float32Array {
  const sums = new Float64Array(width);
  for (let row = 0, at = 0; row < rows; row++) for (let c = 0; c < width; c++) sums[c] += x[at++];
  return Float32Array.from(sums, (sum) => sum / rows);
}

/** The root mean square norm of `x - mean`. */
export function spreadOf(held: HeldOut): number {
  const { x, rows, width } = held;
  const center = meanRow(held);
  let sum = 0;
  for (let row = 0, at = 0; row < rows; row++)
    for (let c = 0; c < width; c++) sum += (x[at++] - center[c]) ** 2;
  return Math.sqrt(sum / rows);
}
