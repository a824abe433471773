import { open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActivationSource } from '../../src/activations/source.ts';
import { openStore, type StoreMeta, writeStore } from '../../src/activations/store.ts';
import { InputError } from '../../src/formats/errors.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { allSequences, inTemporaryDirectory, syntheticSource, watched } from './helpers.ts';

const origin = {
  model: 'tiny',
  modelSha256: 'a'.repeat(64),
  hook: 'blocks.0.hook_resid_post',
  corpus: 'self',
  corpusSha256: 'b'.repeat(64),
  split: 'train',
};
/** With width 3 a row takes 28 bytes: 10 rows to a shard. */
const shardBytes = 280;

/** A store of three shards, changed by `damage`, and then opened. */
function damaged(damage: (store: string) => Promise<unknown>): Promise<unknown> {
  let problem: unknown;
  return inTemporaryDirectory(async (directory) => {
    const store = join(directory, 'store');
    await writeStore(store, syntheticSource([4, 6, 5, 5, 7]), origin, { shardBytes });
    await damage(store);
    problem = await openStore(store).catch((error) => error);
  }).then(() => problem);
}

async function editMeta(store: string, edit: (meta: StoreMeta) => object): Promise<void> {
  const path = join(store, 'store.json');
  await writeFile(path, JSON.stringify(edit(JSON.parse(await readFile(path, 'utf8')))));
}

function expectInputError(problem: unknown, ...parts: string[]): void {
  expect(problem).toBeInstanceOf(InputError);
  for (const part of parts) expect((problem as Error).message).toContain(part);
}

describe('a store', () => {
  test('gives back what was written, in any order, however it is cut into shards', async () => {
    const ragged = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(ragged, fc.integer({ min: 1, max: 1000 }), fc.nat(), async (lengths, bytes, pick) => {
        await inTemporaryDirectory(async (directory) => {
          const source = syntheticSource(lengths);
          const meta = await writeStore(join(directory, 's'), source, origin, { shardBytes: bytes });
          const store = await openStore(join(directory, 's'));
          expect(store.meta).toEqual(meta);
          expect([store.width, store.sequences, store.totalRows]).toEqual([
            3,
            lengths.length,
            source.totalRows,
          ]);
          expect(allSequences(store).map(store.rowsOf)).toEqual(lengths);
          const order = [...allSequences(source).reverse(), pick % lengths.length];
          expect(await store.read(order)).toEqual(await source.read(order));
        });
      }),
      { numRuns: 20 },
    );
  });

  test('is the same bytes for the same rows', async () => {
    await inTemporaryDirectory(async (directory) => {
      const [one, two] = [join(directory, 'one'), join(directory, 'two')];
      const source = syntheticSource([4, 6, 5, 5, 7]);
      await writeStore(one, source, origin, { shardBytes });
      await writeStore(two, source, origin, { shardBytes });
      const names = (await readdir(one)).sort();
      expect(names).toEqual([0, 1, 2].map((i) => `shard-0000${i}.safetensors`).concat('store.json'));
      for (const name of names) {
        expect(await readFile(join(one, name))).toEqual(await readFile(join(two, name)));
      }
    });
  });

  test('can be read by any safetensors reader', async () => {
    await inTemporaryDirectory(async (directory) => {
      const source = syntheticSource([2, 3]);
      await writeStore(join(directory, 's'), source, origin);
      const tensors = await readSafetensors(join(directory, 's', 'shard-00000.safetensors'));
      const all = await source.read([0, 1]);
      expect(tensors.get('activations')).toEqual({ dtype: 'F32', shape: [5, 3], data: all.activations });
      expect(tensors.get('token_ids')?.data).toEqual(all.tokens);
      expect(tensors.get('document_ids')?.data).toEqual(all.documents);
      expect(tensors.get('sequence_ids')?.data).toEqual(all.sequences);
      expect(tensors.get('positions')?.data).toEqual(all.positions);
    });
  });

  test('is written from a few sequences at a time, and tells its progress in rows', async () => {
    await inTemporaryDirectory(async (directory) => {
      const source = watched(syntheticSource(Array(100).fill(1000), 1));
      const progress: number[] = [];
      const onProgress = (done: number): number => progress.push(done);
      await writeStore(join(directory, 's'), source, origin, { onProgress });
      expect(Math.max(...source.reads)).toBeLessThanOrEqual(17_000);
      expect(progress).toEqual(
        source.reads.map((_, i) => source.reads.slice(0, i + 1).reduce((a, b) => a + b)),
      );
      expect(progress.at(-1)).toBe(100_000);
    });
  });
});

describe('a store that cannot be finished', () => {
  async function expectNothingLeft(
    source: ActivationSource,
    options: object,
    message: string,
  ): Promise<void> {
    await inTemporaryDirectory(async (directory) => {
      const writing = writeStore(join(directory, 'store'), source, origin, { shardBytes, ...options });
      await expect(writing).rejects.toThrow(message);
      expect(await readdir(directory)).toEqual([]);
    });
  }

  test('leaves nothing when the source fails midway', async () => {
    const good = syntheticSource([4, 6, 5, 5, 7]);
    let reads = 0;
    const source: ActivationSource = {
      ...good,
      read: (asked) => (++reads === 3 ? Promise.reject(new Error('the model failed')) : good.read(asked)),
    };
    await expectNothingLeft(source, {}, 'the model failed');
  });

  test('leaves nothing when it is aborted midway', async () => {
    const abort = new AbortController();
    const onProgress = (done: number): void => (done >= 10 ? abort.abort(new Error('stopped')) : undefined);
    await expectNothingLeft(
      syntheticSource([4, 6, 5, 5, 7]),
      { onProgress, signal: abort.signal },
      'stopped',
    );
  });

  test('is refused when the source gives a NaN', async () => {
    const good = syntheticSource([4, 6]);
    const source: ActivationSource = {
      ...good,
      async read(asked) {
        const rows = await good.read(asked);
        rows.activations[3 * 5 + 1] = NaN;
        return rows;
      },
    };
    await expectNothingLeft(source, {}, 'sequence 11, position 1 is NaN');
  });

  test('is refused where a directory exists, which stays as it is', async () => {
    await inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'mine.txt'), 'mine');
      await expect(writeStore(directory, syntheticSource([3]), origin)).rejects.toThrow(InputError);
      expect(await readdir(directory)).toEqual(['mine.txt']);
    });
  });
});

describe('a damaged store is named', () => {
  const second = (store: string): string => join(store, 'shard-00001.safetensors');

  test('a shard cut short', async () => {
    const problem = await damaged((store) => truncate(second(store), 300));
    expectInputError(problem, 'shard-00001.safetensors', 'truncated');
  });

  test('a shard that is missing', async () => {
    expectInputError(await damaged((store) => rm(second(store))), 'shard-00001.safetensors', 'ENOENT');
  });

  test('a byte changed', async () => {
    const problem = await damaged(async (store) => {
      const bytes = await readFile(second(store));
      bytes[bytes.length - 130] ^= 1;
      await writeFile(second(store), bytes);
    });
    expectInputError(problem, 'shard-00001.safetensors', 'SHA-256');
  });

  test('another width than store.json has', async () => {
    const problem = await damaged((store) => editMeta(store, (meta) => ({ ...meta, width: 4 })));
    expectInputError(problem, 'shard-00000.safetensors', 'activations is F32 [10, 3]', 'F32 [10, 4]');
  });

  test('a shard that store.json leaves out', async () => {
    const edit = (meta: StoreMeta): object => ({ ...meta, shards: meta.shards.slice(0, 2) });
    expectInputError(await damaged((store) => editMeta(store, edit)), 'store.json', '27 rows in 5 sequences');
  });

  test('no store.json, one that is not JSON, one of another format', async () => {
    const path = (store: string): string => join(store, 'store.json');
    expectInputError(await damaged((store) => rm(path(store))), 'store.json', 'ENOENT');
    expectInputError(await damaged((store) => truncate(path(store), 40)), 'store.json', 'not JSON');
    const another = await damaged((store) => editMeta(store, (meta) => ({ ...meta, format: 2 })));
    expectInputError(another, 'store.json', 'field format');
  });

  test('a shard outside the directory', async () => {
    const edit = (meta: StoreMeta): object => ({
      ...meta,
      shards: [{ ...meta.shards[0], file: '../../secret.safetensors' }, ...meta.shards.slice(1)],
    });
    expectInputError(await damaged((store) => editMeta(store, edit)), 'store.json', 'field shards.0.file');
  });

  test('a NaN, where it is read', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = join(directory, 'store');
      await writeStore(store, syntheticSource([4, 6]), origin);
      const path = join(store, 'shard-00000.safetensors');
      const tensors = Object.fromEntries(await readSafetensors(path));
      tensors.activations.data[3 * 7] = NaN;
      await writeSafetensors(path, tensors);
      const hash = await sha256File(path);
      await editMeta(store, (meta) => ({ ...meta, shards: [{ ...meta.shards[0], sha256: hash }] }));
      const opened = await openStore(store);
      await opened.read([0]);
      const problem = await opened.read([1]).catch((error) => error);
      expectInputError(problem, 'shard-00000.safetensors', 'row 7, sequence 11, position 3 is NaN');
    });
  });

  test('a shard that is cut short after the store was opened', async () => {
    await inTemporaryDirectory(async (directory) => {
      const store = join(directory, 'store');
      await writeStore(store, syntheticSource([4, 6]), origin);
      const opened = await openStore(store);
      const file = await open(join(store, 'shard-00000.safetensors'), 'r+');
      await file.truncate(500);
      await file.close();
      expectInputError(
        await opened.read([1]).catch((error) => error),
        'shard-00000.safetensors',
        'truncated',
      );
    });
  });
});
