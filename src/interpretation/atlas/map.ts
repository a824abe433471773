/**
 * Directions as points of a plane: near ones near each other, by UMAP (McInnes, Healy and Melville 2018) on the nearest
 * neighbours, from principal components on. Distances between far points mean nothing. It must not know what the points are.
 */
import { setImmediate } from 'node:timers/promises';
import { UMAP } from 'umap-js';
import type { Progress } from '../../activations/source.ts';
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { leadingEigenvectors } from '../../math/subspace.ts';
import type { Neighbours } from './neighbours.ts';

/** Neighbours of each point, epochs, and how close points may lie. */
export const MAP = { neighbours: 15, epochs: 100, minDistance: 0.1 } as const;
/** The greatest coordinate of principal components, as UMAP's authors have it. */
const EXTENT = 10;
/** Points with the same neighbours at no distance would make UMAP look at all points for each of them. */
const LEAST_DISTANCE = 1e-9;
/** UMAP wants fewer neighbours than points; of fewer points than these there is nothing to lay out, and principal components serve. */
const FEWEST = 4;

/**
 * Where the rows stand that have the neighbours, `[rows, 2]`. The same seed gives the same places. Progress is in epochs.
 */
export async function mapOf(
  backend: Backend,
  width: number,
  { unit, count, nearest, cosines }: Neighbours,
  seed: number,
  onProgress?: Progress,
): Promise<Float64Array> {
  const rows = unit.length / width;
  const places = await principalPlane(backend, unit, width, new Random(seed, 'map: plane'));
  if (rows < FEWEST) return places;
  const random = new Random(seed, 'map');
  const umap = new UMAP({
    nNeighbors: Math.min(count + 1, rows - 1),
    nEpochs: MAP.epochs,
    minDist: MAP.minDistance,
    random: () => random.uniformFloat32(),
  });
  // UMAP counts a point among its own neighbours.
  const list = <T>(own: number, of: (at: number) => T) => [
    own,
    ...Array.from({ length: count }, (_, i) => of(i)),
  ];
  const indices = Array.from({ length: rows }, (_, r) => list(r, (i) => nearest[r * count + i]));
  const distances = Array.from({ length: rows }, (_, r) =>
    list(0, (i) => Math.max(LEAST_DISTANCE, 1 - cosines[r * count + i])),
  );
  umap.setPrecomputedKNN(indices, distances as number[][]);
  // It looks at the points themselves only to find neighbours.
  const epochs = umap.initializeFit(new Array<number[]>(rows).fill([]));
  const embedding = umap.getEmbedding();
  for (const [r, point] of embedding.entries()) [point[0], point[1]] = places.subarray(2 * r, 2 * r + 2);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    onProgress?.(epoch + 1, epochs);
    // Each is a while of JavaScript: signals and progress bars want their turn.
    await setImmediate();
  }
  return Float64Array.from(umap.getEmbedding().flat());
}

/** Coordinates along the two leading principal components of the rows, `[rows, 2]`, the greatest magnitude `EXTENT`. */
async function principalPlane(
  backend: Backend,
  directions: Float32Array,
  width: number,
  random: Random,
): Promise<Float64Array> {
  const rows = directions.length / width;
  const places = new Float64Array(rows * 2);
  if (rows === 0) return places;
  const sum = new Float64Array(width);
  await backend.columnSum({ m: directions, rows, width, out: sum });
  const centered = new Float32Array(directions.length);
  const center = Float32Array.from(sum, (value) => value / rows);
  await backend.center({ x: directions, center, rows, width, scale: 1, out: centered });
  const products = new Float32Array(width * width);
  const factors = { a: centered, b: centered, aWidth: width, bWidth: width };
  await backend.transposedProduct({ ...factors, rows, out: products });
  const axes = Math.min(2, width);
  const components = leadingEigenvectors(products, width, axes, random);
  let most = 0;
  for (let r = 0; r < rows; r++) {
    for (let axis = 0; axis < axes; axis++) {
      let along = 0;
      for (let c = 0; c < width; c++) along += centered[r * width + c] * components[axis * width + c];
      places[2 * r + axis] = along;
      most = Math.max(most, Math.abs(along));
    }
  }
  return most > 0 ? places.map((value) => (value * EXTENT) / most) : places;
}
