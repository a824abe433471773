/**
 * Activations drawn from a distribution with known features. Nothing is kept: a sequence is drawn anew each time it is
 * read, to the same bytes. It must not know the labels, which no source has.
 */

import type { Backend } from '../kernels/backend.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import { type ActivationSource, allocateRows, checkSequences } from './source.ts';

/**
 * `sequences` sequences of `BLOCK_ROWS` rows: sequence s is the block `firstBlock + s` of the distribution, so its row r is
 * the sample `(firstBlock + s) * BLOCK_ROWS + r`, and sources over blocks apart share no sample. The block's number is the
 * id of the sequence and its document; tokens are 0. RangeError where these are not numbers of blocks.
 */
export function knownSource(
  backend: Backend,
  distribution: Distribution,
  blocks: { firstBlock: number; sequences: number },
): ActivationSource {
  const { firstBlock, sequences } = blocks;
  const { width } = distribution;
  for (const [name, value] of Object.entries({ firstBlock, sequences, end: firstBlock + sequences })) {
    if (!Number.isInteger(value) || value < 0 || value > 2 ** 31)
      throw new RangeError(`${name}: expected a whole number from 0 to 2^31, not ${value}`);
  }
  return {
    width,
    sequences,
    totalRows: sequences * BLOCK_ROWS,
    rowsOf: () => BLOCK_ROWS,
    documentOf: (sequence) => firstBlock + sequence,
    async read(asked) {
      checkSequences(asked, sequences);
      const result = allocateRows(asked.length * BLOCK_ROWS, width);
      const blocks = Array.from(asked, (sequence) => firstBlock + sequence);
      for (const [place, block] of blocks.entries()) {
        const start = place * BLOCK_ROWS;
        result.sequences.fill(block, start, start + BLOCK_ROWS);
        result.documents.fill(block, start, start + BLOCK_ROWS);
        for (let row = 0; row < BLOCK_ROWS; row++) result.positions[start + row] = row;
      }
      await distribution.drawBlocks(backend, blocks, result.activations);
      return result;
    },
  };
}
