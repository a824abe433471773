/**
 * How well sums of a few atoms explain a direction by chance: the null of `metaCode`, for directions that have the
 * covariance of the decoder's rows and no structure else. It must not know which rows are asked about.
 */
import { transpose } from '../../dictionaries/interop/folding.ts';
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { codesOver } from './atoms.ts';

const DIRECTIONS = 2000;
/** The share of the directions, those explained best, from which the tail is read. */
const TAIL = 0.05;

/**
 * A function that gives the probability that sums of `atoms [count, width]` explain so much of a random direction
 * `sum_j g_j unit_j`, g normal. Of a share e left unexplained that is a power of e where it is small, as it is for the
 * distance to fixed subspaces: the power is Hill's estimate ("A simple general approach to inference about the tail of a
 * distribution", Annals of Statistics 3, 1975) from 100 of 2,000 directions.
 */
export async function chanceOfSums(
  backend: Backend,
  { unit, atoms, width }: { unit: Float32Array; atoms: Float32Array; width: number },
  seed: number,
): Promise<(explained: number) => number> {
  const rows = unit.length / width;
  if (rows === 0) return () => 1;
  const weights = new Float32Array(DIRECTIONS * rows);
  new Random(seed, 'chance sums').fillNormal(weights, 1);
  const directions = new Float32Array(DIRECTIONS * width);
  const mixed = backend.pack(transpose(unit, rows, width), width, rows);
  await backend.linear({ x: weights, rows: DIRECTIONS, weight: mixed, out: directions });
  await backend.unitRows({ weight: directions, rows: DIRECTIONS, width });
  const codes = await codesOver(backend, directions, width, atoms);
  const left = Float64Array.from(codes, ({ explained }) => 1 - explained).sort();
  const last = Math.floor(TAIL * DIRECTIONS);
  const power =
    last / left.subarray(0, last).reduce((sum, e) => sum + Math.log(left[last] / Math.max(e, 1e-12)), 0);
  return (explained) => {
    const e = Math.max(0, 1 - explained);
    if (e < left[last]) return TAIL * (e / left[last]) ** power;
    return left.filter((chance) => chance <= e).length / DIRECTIONS;
  };
}
