/**
 * Distributions whose samples are sums, `x = bias + sum_i a_i d_i` over the features i that fire, with amplitudes `a_i > 0`
 * and unit directions `d_i`: what superposition and sparse dictionaries both assume. A feature of several dimensions adds
 * a point of its curve, `a_i sum_c curve_c(t) d_ic`. It must not know why a feature fires.
 */

import type { Backend, SparseRows } from '../kernels/backend.ts';
import type { Firings } from '../kernels/firingOperations.ts';
import type { Distribution } from './distribution.ts';
import { drawLaw, drawLawBlocks } from './drawLaw.ts';
import type { FiringLaw } from './firingLaw.ts';
import { type Curve, pointOn } from './manifolds.ts';

/**
 * The distribution of sums of `directions [rows, width]` (unit rows) of the features that fire by a law. `curves[i]`, where
 * there are any, is that of feature i, or undefined where it has one dimension. RangeError where shapes do not fit.
 */
export function additiveDistribution(world: {
  law: FiringLaw;
  width: number;
  directions: Float32Array;
  bias?: Float32Array;
  curves?: readonly (Curve | undefined)[];
  seed: number;
}): Distribution {
  const { law, width, directions, bias, curves, seed } = world;
  const { plan, firingProbabilities, entropy } = law;
  const { features } = plan;
  const firstDirection = new Uint32Array(features + 1);
  for (let i = 0; i < features; i++)
    firstDirection[i + 1] = firstDirection[i] + (curves?.[i]?.dimensions ?? 1);
  const rows = firstDirection[features];
  if (directions.length !== rows * width)
    throw new RangeError(
      `directions: ${directions.length} values were given for ${rows} rows of width ${width}`,
    );
  if (bias && bias.length !== width)
    throw new RangeError(`bias: ${bias.length} values were given for a width of ${width}`);

  const decodeTo = async (backend: Backend, { labels, positions }: Firings, out: Float32Array) => {
    const codes = curves && positions ? alongCurves(labels, positions, curves, firstDirection) : labels;
    await backend.decode({ codes, weight: directions, bias, width, out });
  };

  return {
    features,
    width,
    directions,
    firstDirection,
    bias,
    firingProbabilities,
    expectedL0: firingProbabilities.reduce((sum, p) => sum + p, 0),
    entropy,
    async draw(backend, first, count) {
      const firings = await drawLaw(backend, law, seed, first, count);
      const x = new Float32Array(count * width);
      await decodeTo(backend, firings, x);
      return { x, ...firings };
    },
    async drawBlocks(backend, blocks, out) {
      await decodeTo(backend, await drawLawBlocks(backend, law, seed, blocks), out);
    },
  };
}

/** The coefficient of each direction, `[rows, directions]`: of any sign, where features have several. */
function alongCurves(
  { rows, offsets, indices, values }: SparseRows,
  positions: Float32Array,
  curves: readonly (Curve | undefined)[],
  firstDirection: Uint32Array,
): SparseRows {
  const dimensionsOf = (e: number) => firstDirection[indices[e] + 1] - firstDirection[indices[e]];
  let entries = 0;
  for (let e = 0; e < indices.length; e++) entries += dimensionsOf(e);
  const spread = {
    rows,
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(entries),
    values: new Float32Array(entries),
  };
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let e = offsets[row]; e < offsets[row + 1]; e++) {
      const curve = curves[indices[e]];
      const point = curve ? pointOn(curve, positions[e]) : [1];
      for (const [c, coordinate] of point.entries()) {
        spread.indices[at] = firstDirection[indices[e]] + c;
        spread.values[at++] = values[e] * coordinate;
      }
    }
    spread.offsets[row + 1] = at;
  }
  return spread;
}
