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
  const blocks = Array.from({ length: Math.ceil((skip + count) / BLOCK_ROWS) }, (_, b) => firstBlock + b);
  const streams = streamsOf(seed, blocks);
  return backend.drawFirings({ plan, streams, blockRows: BLOCK_ROWS, skip, rows: count });
}

/** All samples of some blocks, in the order in which they are named. */
export function drawLawBlocks(
  backend: Backend,
  { plan }: FiringLaw,
  seed: number,
  blocks: ArrayLike<number>,
): Promise<Firings> {
  const streams = streamsOf(seed, blocks);
  return backend.drawFirings({
    plan,
    streams,
    blockRows: BLOCK_ROWS,
    skip: 0,
    rows: blocks.length * BLOCK_ROWS,
  });
}

function streamsOf(seed: number, blocks: ArrayLike<number>): Int32Array {
  const streams = new Int32Array(8 * blocks.length);
  for (let b = 0; b < blocks.length; b++) {
    streams.set(streamState(seed, 'samples', String(blocks[b])), 8 * b);
    streams.set(streamState(seed, 'normals', String(blocks[b])), 8 * b + 4);
  }
  return streams;
}
