/** Orthonormal directions, random or made of others. It must not know what they stand for. */

import type { Random } from './random.ts';

/**
 * Orthonormal rows `[rows, width]`, rows <= width, each such set equally likely (Haar measure): normals made orthonormal
 * row by row, by Gram and Schmidt, twice for rounding's sake. Stewart, "The efficient generation of random orthogonal
 * matrices", SIAM Journal on Numerical Analysis 17, 1980. RangeError where there are more rows than dimensions.
 */
export function orthonormalRows(rows: number, width: number, random: Random): Float64Array {
  if (rows > width) throw new RangeError(`${rows} orthonormal rows do not fit into ${width} dimensions`);
  const result = new Float64Array(rows * width);
  random.fillNormal(result, 1);
  makeOrthonormal(result, width);
  return result;
}

/**
 * Makes the rows `[rows, width]` orthonormal in place, each from what those before it leave of it: Gram and Schmidt, twice
 * for rounding's sake. Rows must be linearly independent, or the last of dependent ones is noise.
 */
export function makeOrthonormal(rows: Float64Array, width: number): void {
  for (let i = 0; i < rows.length / width; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = rows.subarray(j * width, (j + 1) * width);
        const along = dot(row, other);
        for (let c = 0; c < width; c++) row[c] -= along * other[c];
      }
    }
    const scale = 1 / Math.sqrt(dot(row, row));
    for (let c = 0; c < width; c++) row[c] *= scale;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c] * b[c];
  return sum;
}
