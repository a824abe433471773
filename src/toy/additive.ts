/**
 * Distributions whose samples are sums, `x = sum_i a_i d_i` over the features i that fire, with amplitudes `a_i > 0` and
 * unit directions `d_i`: what superposition and sparse dictionaries both assume. It must not know why a feature fires.
 */

import { Random } from '../math/random.ts';
import { BLOCK_ROWS, type Distribution } from './distribution.ts';

/** Which features fire in the samples of one block, by rows (CSR), with room for all of them in each. */
export interface BlockFirings {
  /** `[BLOCK_ROWS + 1]`, the first 0. */
  readonly offsets: Uint32Array;
  /** Features, ascending in each row; `[BLOCK_ROWS * features]`, of which the first `offsets[BLOCK_ROWS]` count. */
  readonly indices: Uint32Array;
  /** Amplitudes, all > 0; as `indices`. */
  readonly values: Float32Array;
}

/** Draws one block into `firings`; what it draws must be a function of `random` alone. */
export type DrawBlock = (random: Random, firings: BlockFirings) => void;

/**
 * The distribution of sums of `directions [features, width]` (unit rows), of which feature i fires with probability
 * `firingProbabilities[i]`, as `drawBlock` has it. Block b is drawn from the stream `(seed, 'samples', b)`.
 */
export function additiveDistribution(world: {
  width: number;
  directions: Float32Array;
  firingProbabilities: Float64Array;
  seed: number;
  drawBlock: DrawBlock;
}): Distribution {
  const { width, directions, firingProbabilities, seed, drawBlock } = world;
  const features = firingProbabilities.length;
  if (directions.length !== features * width)
    throw new RangeError(
      `directions: ${directions.length} values were given for ${features} rows of width ${width}`,
    );
  const expectedL0 = firingProbabilities.reduce((sum, p) => sum + p, 0);
  const firings: BlockFirings = {
    offsets: new Uint32Array(BLOCK_ROWS + 1),
    indices: new Uint32Array(BLOCK_ROWS * features),
    values: new Float32Array(BLOCK_ROWS * features),
  };
  const add = adder(directions, width);

  return {
    features,
    width,
    directions,
    firingProbabilities,
    expectedL0,
    draw(first, count) {
      for (const [name, value] of Object.entries({ first, count })) {
        if (!Number.isSafeInteger(value) || value < 0)
          throw new RangeError(`${name}: expected a whole number >= 0, not ${value}`);
      }
      const x = new Float32Array(count * width);
      const offsets = new Uint32Array(count + 1);
      const [indexParts, valueParts]: [Uint32Array[], Float32Array[]] = [[], []];
      for (let row = 0; row < count; ) {
        const block = Math.floor((first + row) / BLOCK_ROWS);
        const start = first + row - block * BLOCK_ROWS;
        const end = Math.min(BLOCK_ROWS, start + count - row);
        drawBlock(new Random(seed, 'samples', String(block)), firings);
        const shift = offsets[row] - firings.offsets[start];
        for (let r = start; r < end; r++) {
          add(firings, r, x, row * width);
          offsets[++row] = firings.offsets[r + 1] + shift;
        }
        indexParts.push(firings.indices.slice(firings.offsets[start], firings.offsets[end]));
        valueParts.push(firings.values.slice(firings.offsets[start], firings.offsets[end]));
      }
      const entries = offsets[count];
      return {
        x,
        labels: {
          rows: count,
          offsets,
          indices: concatenated(indexParts, new Uint32Array(entries)),
          values: concatenated(valueParts, new Float32Array(entries)),
        },
      };
    },
  };
}

/** Writes `x[at + c] = sum_i a_i directions[i, c]` for the features i that fire in a row. */
function adder(directions: Float32Array, width: number) {
  const exact = Float64Array.from(directions);
  const sum = new Float64Array(width);
  return (firings: BlockFirings, row: number, x: Float32Array, at: number): void => {
    const { indices, values } = firings;
    const end = firings.offsets[row + 1];
    sum.fill(0);
    // Four directions at a time; those that the last four lack have amplitude 0.
    for (let e = firings.offsets[row]; e < end; e += 4) {
      const i = width * indices[e];
      const j = e + 1 < end ? width * indices[e + 1] : 0;
      const k = e + 2 < end ? width * indices[e + 2] : 0;
      const l = e + 3 < end ? width * indices[e + 3] : 0;
      const a = values[e];
      const b = e + 1 < end ? values[e + 1] : 0;
      const c = e + 2 < end ? values[e + 2] : 0;
      const d = e + 3 < end ? values[e + 3] : 0;
      for (let w = 0; w < width; w++)
        sum[w] += a * exact[i + w] + b * exact[j + w] + c * exact[k + w] + d * exact[l + w];
    }
    x.set(sum, at);
  };
}

function concatenated<T extends Uint32Array | Float32Array>(parts: readonly T[], whole: T): T {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
