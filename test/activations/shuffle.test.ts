import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../../src/activations/memory.ts';
import { shuffledBatches } from '../../src/activations/shuffle.ts';
import type { ActivationRows, ActivationSource } from '../../src/activations/source.ts';
import { InputError } from '../../src/formats/errors.ts';
import { Random } from '../../src/math/random.ts';
import { collect, syntheticSource, watched } from './helpers.ts';

/** Tokens of a synthetic source number its rows, so they tell the order. */
function orderOf(batches: ActivationRows[]): number[] {
  return batches.flatMap((batch) => [...batch.tokens]);
}

describe('the order', () => {
  test('holds each row once in an epoch, less the remainder, and its labels stay with it', async () => {
    const ragged = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    const size = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(ragged, size, size, fc.nat(100), async (lengths, batch, windowRows, seed) => {
        const source = syntheticSource(lengths, 2);
        fc.pre(batch <= source.totalRows);
        const shuffled = shuffledBatches(source, { batch, windowRows, seed, epoch: 0 });
        const batches = await collect(shuffled);
        expect(batches.every(({ rows, tokens }) => rows === batch && tokens.length === batch)).toBe(true);
        expect(batches.length).toBe(shuffled.batches);
        expect(shuffled.batches * batch + shuffled.droppedRows).toBe(source.totalRows);
        expect(shuffled.droppedRows).toBeLessThan(batch);
        const order = orderOf(batches);
        expect(new Set(order).size).toBe(order.length);

        const all = await source.read(Array.from({ length: source.sequences }, (_, s) => s));
        for (const { activations, tokens, documents, sequences, positions } of batches) {
          tokens.forEach((row, i) => {
            expect(activations.slice(2 * i, 2 * i + 2)).toEqual(all.activations.slice(2 * row, 2 * row + 2));
            expect([documents[i], sequences[i], positions[i]]).toEqual([
              all.documents[row],
              all.sequences[row],
              all.positions[row],
            ]);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is the same for the same seed and epoch, and another for others', async () => {
    const source = syntheticSource(Array(40).fill(5));
    const order = async (seed: number, epoch: number): Promise<number[]> =>
      orderOf(await collect(shuffledBatches(source, { batch: 20, windowRows: 50, seed, epoch })));
    const first = await order(3, 0);
    expect(await order(3, 0)).toEqual(first);
    expect(await order(4, 0)).not.toEqual(first);
    expect(await order(3, 1)).not.toEqual(first);
  });

  test('from any start batch is that of a run from the start', async () => {
    const source = syntheticSource([3, 8, 1, 7, 2, 9, 4, 6, 5, 5, 12, 1]);
    const options = { batch: 4, windowRows: 13, seed: 1, epoch: 2 };
    const whole = await collect(shuffledBatches(source, options));
    for (let startBatch = 0; startBatch <= whole.length; startBatch++) {
      const rest = await collect(shuffledBatches(source, { ...options, startBatch }));
      expect(rest).toEqual(whole.slice(startBatch));
    }
  });
});

describe('mixing, measured', () => {
  const [sequences, length, batch] = [200, 50, 250];
  const lengths = Array<number>(sequences).fill(length);

  /** Pairs of rows of one document, per batch. */
  function sameDocumentPairs(batches: ActivationRows[]): number {
    let pairs = 0;
    for (const { documents } of batches) {
      const counts = new Map<number, number>();
      for (const document of documents) counts.set(document, (counts.get(document) ?? 0) + 1);
      for (const n of counts.values()) pairs += (n * (n - 1)) / 2;
    }
    return pairs / batches.length;
  }

  /**
   * A batch drawn without replacement from a window of N rows, `length` to a document: each of the B (B - 1) / 2
   * pairs is of one document with probability (length - 1) / (N - 1).
   */
  const expectedPairs = (windowRows: number): number =>
    (((batch * (batch - 1)) / 2) * (length - 1)) / (windowRows - 1);

  test.each([2500, 10000])(
    'pairs of one document are as many as chance gives in %i rows',
    async (windowRows) => {
      const source = syntheticSource(lengths, 1);
      const batches = await collect(shuffledBatches(source, { batch, windowRows, seed: 5, epoch: 0 }));
      const ratio = sameDocumentPairs(batches) / expectedPairs(windowRows);
      // Unshuffled, a batch would hold 5 documents and 6,125 pairs: 10 and 40 times as many.
      expect(Math.abs(ratio - 1)).toBeLessThan(0.04);
    },
  );

  test('neighbours in the order are not correlated', async () => {
    const random = new Random(0, 'levels');
    const levels = Float32Array.from({ length: sequences }, () => random.normal());
    const ids = Int32Array.from({ length: sequences * length }, (_, row) => Math.floor(row / length));
    const source = memorySource({
      width: 1,
      activations: Float32Array.from(ids, (id) => levels[id]),
      sequences: ids,
    });
    const batches = await collect(shuffledBatches(source, { batch, windowRows: 5000, seed: 2, epoch: 0 }));
    // In the source's own order it is 0.98. By chance its standard deviation is 1 / sqrt(10,000).
    expect(autocorrelation(batches.flatMap(({ activations }) => [...activations]))).toBeLessThan(0.05);
  });

  function autocorrelation(values: number[]): number {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const centred = values.map((x) => x - mean);
    const product = (lag: number): number =>
      centred.reduce((sum, x, i) => sum + (i + lag < centred.length ? x * centred[i + lag] : 0), 0);
    return product(1) / product(0);
  }
});

describe('memory', () => {
  test('is two windows: the present one and the next', async () => {
    const source = watched(syntheticSource(Array(100).fill(10)));
    const batches = shuffledBatches(source, { batch: 10, windowRows: 200, seed: 0, epoch: 0 });
    const iterator = batches[Symbol.asyncIterator]();
    for (let i = 0; i < 20; i++) await iterator.next();
    expect(source.reads).toEqual([200, 200]);
    await iterator.next();
    expect(source.reads).toEqual([200, 200, 200]);
  });

  test('a window is near the size asked for, and none is left tiny', async () => {
    const source = watched(syntheticSource([...Array(50).fill(7), ...Array(50).fill(13)]));
    await collect(shuffledBatches(source, { batch: 5, windowRows: 300, seed: 0, epoch: 0 }));
    expect(source.reads.length).toBe(3);
    for (const rows of source.reads) expect(Math.abs(rows - 1000 / 3)).toBeLessThan(13);
  });

  test('a start batch costs the window it falls in, not those before it', async () => {
    const source = watched(syntheticSource(Array(100).fill(10)));
    const options = { batch: 10, windowRows: 200, seed: 0, epoch: 0, startBatch: 85 };
    await collect(shuffledBatches(source, options));
    expect(source.reads).toEqual([200]);
  });
});

describe('faults', () => {
  test('a batch larger than the source is named', () => {
    const options = { batch: 11, windowRows: 5, seed: 0, epoch: 0 };
    expect(() => shuffledBatches(syntheticSource([4, 6]), options)).toThrow(InputError);
    expect(() => shuffledBatches(syntheticSource([4, 6]), options)).toThrow('the source has 10');
  });

  test('an error in reading the next window comes out at the batch that needs it', async () => {
    const good = syntheticSource(Array(20).fill(10));
    let reads = 0;
    const source: ActivationSource = {
      ...good,
      read: (asked) => (++reads === 2 ? Promise.reject(new InputError('damaged')) : good.read(asked)),
    };
    const iterator = shuffledBatches(source, { batch: 10, windowRows: 100, seed: 0, epoch: 0 })[
      Symbol.asyncIterator
    ]();
    for (let i = 0; i < 10; i++) expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toThrow('damaged');
  });
});
