import { describe, expect, test } from 'vitest';
import { knownSource } from '../../src/activations/knownSource.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { BLOCK_ROWS } from '../../src/toy/distribution.ts';
import { orthogonalToy } from '../../src/toy/orthogonal.ts';

const backend = createReferenceBackend();
const toy = orthogonalToy(1);
const xOf = async (block: number) => (await toy.draw(backend, block * BLOCK_ROWS, BLOCK_ROWS)).x;

describe('knownSource', () => {
  test('its sequences are the distribution’s blocks, in the order asked, under their numbers', async () => {
    const source = knownSource(backend, toy, { firstBlock: 10, sequences: 4 });
    expect([source.width, source.sequences, source.totalRows, source.rowsOf(2)]).toEqual([
      100,
      4,
      4 * BLOCK_ROWS,
      BLOCK_ROWS,
    ]);
    const rows = await source.read([3, 1]);
    expect(rows.rows).toBe(2 * BLOCK_ROWS);
    const size = BLOCK_ROWS * 100;
    expect(rows.activations.subarray(0, size)).toEqual(await xOf(13));
    expect(rows.activations.subarray(size)).toEqual(await xOf(11));
    expect(rows.tokens).toEqual(new Int32Array(2 * BLOCK_ROWS));
    expect(rows.documents).toEqual(rows.sequences);
    expect([rows.sequences[0], rows.sequences[BLOCK_ROWS - 1], rows.sequences[BLOCK_ROWS]]).toEqual([
      13, 13, 11,
    ]);
    expect(Array.from(rows.positions.subarray(BLOCK_ROWS, BLOCK_ROWS + 3))).toEqual([0, 1, 2]);
  });

  test('read again, or from another source over the same blocks, it has the same bytes', async () => {
    const a = knownSource(backend, toy, { firstBlock: 0, sequences: 6 });
    const b = knownSource(backend, toy, { firstBlock: 4, sequences: 2 });
    const first = await a.read([5]);
    await a.read([0, 1, 2]);
    expect(await a.read([5])).toEqual(first);
    expect(await b.read([1])).toEqual(first);
  });

  test('sequences that are not there, and blocks that are not numbers of blocks, are refused', async () => {
    const source = knownSource(backend, toy, { firstBlock: 0, sequences: 2 });
    await expect(source.read([2])).rejects.toThrow(/sequence 2 was asked for; there are 2/);
    expect(() => knownSource(backend, toy, { firstBlock: -1, sequences: 2 })).toThrow(/firstBlock: expected/);
    expect(() => knownSource(backend, toy, { firstBlock: 0, sequences: 0.5 })).toThrow(/sequences: expected/);
    expect(() => knownSource(backend, toy, { firstBlock: 2 ** 31, sequences: 1 })).toThrow(/end: expected/);
  });
});
