/** Reading a Parquet file in large pieces: the same bytes, only groups that can hold what is asked, as few requests as can be. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type AsyncBuffer, asyncBufferFromFile, type FileMetaData, parquetMetadataAsync } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeParquetGroups } from '../../../src/formats/parquet.ts';
import { spansOf, withAhead } from '../../../web/src/data/ahead.ts';
import { rangesWithin } from '../../../web/src/data/rowGroups.ts';

const words = [
  ['a', 'bee'],
  ['bee', 'é'],
  ['été', 'été'],
  ['ход', '水'],
];
let directory: string;
let file: AsyncBuffer;
let metadata: FileMetaData;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-ahead-'));
  const path = join(directory, 'words.parquet');
  const groups = words.map((group, i) => [group, [2 * i, 2 * i + 1]]);
  const columns = [
    { name: 'word', type: 'STRING' as const },
    { name: 'latent', type: 'INT32' as const },
  ];
  await writeParquetGroups(path, columns, groups);
  file = await asyncBufferFromFile(path);
  metadata = await parquetMetadataAsync(file);
});
afterAll(() => rm(directory, { recursive: true }));

describe('row groups', () => {
  const groupsOf = (column: string, from: number | string, to: number | string) =>
    rangesWithin(metadata, column, from, to).map(({ rowStart }) => rowStart / 2);

  it('are those whose bounds leave room, in any script', () => {
    expect(groupsOf('word', 'bee', 'bee')).toEqual([0, 1]);
    expect(groupsOf('word', 'été', 'été')).toEqual([2]);
    expect(groupsOf('word', 'хо', 'хо\uffff')).toEqual([3]);
    expect(groupsOf('word', '\uffff', '\uffff')).toEqual([]);
    expect(groupsOf('latent', 3, 4)).toEqual([1, 2]);
  });

  it('are all where nothing is known of the column or the bounds are of another kind', () => {
    expect(groupsOf('other', 1, 1)).toEqual([0, 1, 2, 3]);
    expect(groupsOf('word', 1, 1)).toEqual([0, 1, 2, 3]);
  });
});

describe('pieces', () => {
  it('join groups that lie beside each other, and hold their columns', () => {
    const all = spansOf(metadata, ['word', 'latent'], [{ rowStart: 0, rowEnd: 8 }]);
    expect(all).toHaveLength(1);
    const apart = spansOf(
      metadata,
      ['word', 'latent'],
      [
        { rowStart: 0, rowEnd: 2 },
        { rowStart: 6, rowEnd: 8 },
      ],
    );
    expect(apart).toHaveLength(2);
    expect(apart[0].start).toBe(all[0].start);
    expect(apart[1].end).toBe(all[0].end);
    expect(spansOf(metadata, ['word'], [])).toEqual([]);
  });

  it('give the bytes of the file, asked for once', async () => {
    const whole = new Uint8Array(await file.slice(0));
    const range = fc
      .tuple(fc.nat({ max: whole.length }), fc.nat({ max: whole.length }))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    await fc.assert(
      fc.asyncProperty(range, fc.array(range), async ([start, end], asked) => {
        let requests = 0;
        const counted = {
          byteLength: file.byteLength,
          slice: (from: number, to?: number) => {
            requests++;
            return file.slice(from, to);
          },
        };
        const ahead = withAhead(counted);
        ahead.ahead([{ start, end }]);
        for (const [from, to] of asked)
          expect(new Uint8Array(await ahead.slice(from, to))).toEqual(whole.slice(from, to));
        const outside = asked.filter(([from, to]) => from < start || to > end).length;
        expect(requests).toBe(1 + outside);
      }),
      { numRuns: 50 },
    );
  });

  it('are tried again where they failed', async () => {
    let fails = true;
    const ahead = withAhead({
      byteLength: file.byteLength,
      slice: (from, to) => (fails ? Promise.reject(new Error('gone')) : file.slice(from, to)),
    });
    ahead.ahead([{ start: 0, end: 8 }]);
    await expect(ahead.slice(0, 4)).rejects.toThrow('gone');
    fails = false;
    expect((await ahead.slice(0, 4)).byteLength).toBe(4);
  });
});
