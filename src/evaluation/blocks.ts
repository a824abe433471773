/**
 * Samples in blocks that stand together, the clusters of a bootstrap: figures are made of sums over blocks, so that samples
 * are read once however often they are drawn. It must not know what is summed.
 */

/** The block of each of `rows` samples: as many runs as there are `blocks`, of one length or one less. RangeError where there are more blocks than rows. */
export function blocksOf(rows: number, blocks: number): Uint32Array {
  if (!(Number.isInteger(blocks) && blocks >= 1 && blocks <= rows))
    throw new RangeError(`blocks: expected a whole number from 1 to the ${rows} rows, not ${blocks}`);
  return Uint32Array.from({ length: rows }, (_, row) => Math.floor((row * blocks) / rows));
}

/** `sum_b weights[b] table[b, :]`, `table [blocks, columns]`; a block of weight 0 costs nothing. */
export function sumOverBlocks(table: ArrayLike<number>, weights: Float64Array): Float64Array {
  const columns = table.length / weights.length;
  const sums = new Float64Array(columns);
  for (let b = 0; b < weights.length; b++) {
    const weight = weights[b];
    if (weight === 0) continue;
    for (let c = 0, at = b * columns; c < columns; c++, at++) sums[c] += weight * table[at];
  }
  return sums;
}

/** The mean of the values that are numbers; NaN where none is. */
export function meanOfKnown(values: Float64Array): number {
  let [sum, known] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    known++;
  }
  return sum / known;
}
