/**
 * What some dictionaries do to each activation before they encode it, and undo after they decode: SAELens'
 * `normalize_activations`. It must not know what a latent is.
 */

/**
 * - `layerNorm`: less the mean of its elements, divided by `s + 1e-5`, where s is their standard deviation with Bessel's
 *   correction; the output is multiplied by s, without the 1e-5. So SAELens and the code of Gao et al. 2024.
 * - `constantNorm`: scaled to the norm `sqrt(width)`. A row of zeros stays one.
 */
export type Normalisation = 'layerNorm' | 'constantNorm';

const EPSILON = 1e-5;

/** `x [rows, width]` normalised, in a new array. */
export function normalise(kind: Normalisation, x: Float32Array, rows: number, width: number): Float32Array {
  const out = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const { shift, size } = measureRow(kind, x, r, width);
    const divisor = kind === 'layerNorm' ? size + EPSILON : size || 1;
    for (let i = r * width; i < (r + 1) * width; i++) out[i] = (x[i] - shift) / divisor;
  }
  return out;
}

/** Undoes to `out [rows, width]` what `normalise` did to `x`, in place. */
export function denormalise(
  kind: Normalisation,
  x: Float32Array,
  rows: number,
  width: number,
  out: Float32Array,
): void {
  for (let r = 0; r < rows; r++) {
    const { shift, size } = measureRow(kind, x, r, width);
    for (let i = r * width; i < (r + 1) * width; i++) out[i] = out[i] * size + shift;
  }
}

/** What `denormalise` makes of a difference of two outputs of the same `x`: it has no shift. In place. */
export function denormaliseChange(
  kind: Normalisation,
  x: Float32Array,
  rows: number,
  width: number,
  change: Float32Array,
): void {
  for (let r = 0; r < rows; r++) {
    const { size } = measureRow(kind, x, r, width);
    for (let i = r * width; i < (r + 1) * width; i++) change[i] *= size;
  }
}

function measureRow(
  kind: Normalisation,
  x: Float32Array,
  row: number,
  width: number,
): { shift: number; size: number } {
  let [sum, squares] = [0, 0];
  for (let i = row * width; i < (row + 1) * width; i++) sum += x[i];
  const shift = kind === 'layerNorm' ? sum / width : 0;
  for (let i = row * width; i < (row + 1) * width; i++) squares += (x[i] - shift) ** 2;
  return { shift, size: Math.sqrt(squares / (kind === 'layerNorm' ? width - 1 : width)) };
}
