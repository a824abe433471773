import { describe, expect, test } from 'vitest';
import { memorySource } from '../../src/activations/memory.ts';
import { InputError } from '../../src/formats/errors.ts';

const activations = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('memorySource', () => {
  test('gives the sequences in the order asked, with their labels', async () => {
    const source = memorySource({
      width: 2,
      activations,
      sequences: Int32Array.of(7, 7, 3, 5),
      tokens: Int32Array.of(10, 11, 12, 13),
    });
    expect([source.sequences, source.totalRows, source.rowsOf(0), source.rowsOf(1)]).toEqual([3, 4, 2, 1]);
    const rows = await source.read([2, 0]);
    expect(rows).toEqual({
      rows: 3,
      activations: Float32Array.of(7, 8, 1, 2, 3, 4),
      tokens: Int32Array.of(13, 10, 11),
      documents: Int32Array.of(5, 7, 7),
      sequences: Int32Array.of(5, 7, 7),
      positions: Int32Array.of(0, 0, 1),
    });
  });

  test('takes each row for a sequence and a document where nothing else is said', async () => {
    const source = memorySource({ width: 2, activations });
    expect(source.sequences).toBe(4);
    const rows = await source.read([1]);
    expect(rows.activations).toEqual(Float32Array.of(3, 4));
    expect(rows.documents).toEqual(Int32Array.of(1));
  });

  test('gives arrays that the caller may change', async () => {
    const source = memorySource({ width: 2, activations });
    (await source.read([0])).activations.fill(9);
    expect((await source.read([0])).activations).toEqual(Float32Array.of(1, 2));
  });

  test.each([NaN, Infinity, -Infinity])('refuses %s, naming row and column', (bad) => {
    const damaged = activations.slice();
    damaged[5] = bad;
    expect(() => memorySource({ width: 2, activations: damaged })).toThrow(InputError);
    expect(() => memorySource({ width: 2, activations: damaged })).toThrow(`row 2, column 1 is ${bad}`);
  });

  test('refuses arrays that do not fit, naming them', () => {
    expect(() => memorySource({ width: 3, activations })).toThrow('8 values are not rows of width 3');
    expect(() => memorySource({ width: 2, activations, tokens: new Int32Array(5) })).toThrow(
      'tokens: 5 values were given for 4 rows',
    );
    const sequences = Int32Array.of(0, 1, 0, 2);
    expect(() => memorySource({ width: 2, activations, sequences })).toThrow(
      'the rows of sequence 0 do not stand together (row 2)',
    );
  });

  test('refuses sequences that are not there', async () => {
    const source = memorySource({ width: 2, activations });
    await expect(source.read([4])).rejects.toThrow(RangeError);
    await expect(source.read([-1])).rejects.toThrow(RangeError);
  });
});
