/** Samples of a firing law, by number: which features fire, and how strongly. It must not know where features point. */
import type { Backend } from '../kernels/backend.ts';
import type { Firings } from '../kernels/firingOperations.ts';
import { streamState } from '../math/random.ts';
import { BLOCK_ROWS } from './distribution.ts';
import type { FiringLaw } from './firingLaw.ts';

/**
 * The samples `first .. first + count - 1`. Block b of `BLOCK_ROWS` is drawn from the streams `(seed, 'samples', b)` and
 * `(seed, 'normals', b)`. RangeError where these are not whole numbers >= 0.
 */
export async function drawLaw(
  backend: Backend,
  { plan }: FiringLaw,
  seed: number,
  first: number,
  count: number,
): Promise<Firings> {
  for (const [name, value] of Object.entries({ first, count })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${name}: expected a whole number >= 0, not ${value}`);
  }
  const firstBlock = Math.floor(first / BLOCK_ROWS);
  const skip = first - firstBlock * BLOCK_ROWS;
  const blocks = Math.ceil((skip + count) / BLOCK_ROWS);
  const streams = new Int32Array(8 * blocks);
  for (let b = 0; b < blocks; b++) {
    streams.set(streamState(seed, 'samples', String(firstBlock + b)), 8 * b);
    streams.set(streamState(seed, 'normals', String(firstBlock + b)), 8 * b + 4);
  }
  return backend.drawFirings({ plan, streams, blockRows: BLOCK_ROWS, skip, rows: count });
}
