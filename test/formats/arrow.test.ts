import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setCompressionCodec, tableFromArrays, tableFromIPC, tableToIPC } from '@uwdata/flechette';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArrowBatch, readArrowBatches, readArrowColumns } from '../../src/formats/arrow.ts';
import { type ArrowColumnSpec, writeArrow } from '../../src/formats/arrowWriter.ts';
import { InputError } from '../../src/formats/errors.ts';
import { readDatasetBatches, readDatasetColumns, writeDataset } from '../../src/formats/hfDataset.ts';
import { DTYPE_BYTES, type Dtype, type Tensor, tensorFromBytes } from '../../src/formats/tensor.ts';
import { refusesEveryCut, survivesMutations } from './hostile.ts';

const datasets = (name: string) => new URL(`../fixtures/formats/datasets/${name}`, import.meta.url).pathname;
const SHARD = 'activations/data-00000-of-00002.arrow';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'arrow-'));
  path = join(dir, 'table.arrow');
});
afterAll(() => rm(dir, { recursive: true }));

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
async function readBytes(bytes: Uint8Array, names?: string[]): Promise<ArrowBatch[]> {
  await writeFile(path, bytes);
  return collect(readArrowBatches(path, names));
}
const values = (tensor: Tensor | undefined) => Array.from(tensor!.data, Number);

describe('a dataset that Hugging Face datasets saved', () => {
  const NAMES = ['blocks.1.hook_resid_post', 'blocks.1.hook_mlp_out', 'token_ids'];
  /** As `make_fixtures.py` makes them: entry (i, j) of row r of [5, 3] is 3 i + j + 100 r + 0.5. */
  const activations = (row: number) => Array.from({ length: 15 }, (_, i) => i + 100 * row + 0.5);
  const tokens = (row: number) => Array.from({ length: 5 }, (_, i) => 10 * row + i);

  test('its columns have their dtypes and shapes', async () => {
    expect(await readDatasetColumns(datasets('activations'))).toMatchObject([
      { name: NAMES[0], dtype: 'F32', shape: [5, 3] },
      { name: NAMES[1], dtype: 'F16', shape: [5, 3] },
      { name: NAMES[2], dtype: 'I32', shape: [5] },
    ]);
  });

  test('its rows have their values, over both files', async () => {
    const batches = await collect(readDatasetBatches(datasets('activations')));
    expect(
      batches.map((batch) => [...batch].map(([name, { dtype, shape }]) => [name, dtype, shape])),
    ).toEqual(
      [4, 3].map((rows) => [
        [NAMES[0], 'F32', [rows, 5, 3]],
        [NAMES[1], 'F16', [rows, 5, 3]],
        [NAMES[2], 'I32', [rows, 5]],
      ]),
    );
    const rows = [0, 1, 2, 3, 4, 5, 6];
    for (const name of NAMES.slice(0, 2))
      expect(batches.flatMap((batch) => values(batch.get(name)))).toEqual(rows.flatMap(activations));
    expect(batches.flatMap((batch) => values(batch.get('token_ids')))).toEqual(rows.flatMap(tokens));
  });

  test('columns can be chosen; one that is not there is named, with those that are', async () => {
    const [batch] = await collect(readArrowBatches(datasets(SHARD), ['token_ids']));
    expect([...batch.keys()]).toEqual(['token_ids']);
    await expect(collect(readArrowBatches(datasets(SHARD), ['x']))).rejects.toThrow(
      /no column of numbers "x"; it has blocks\.1\.hook_resid_post, blocks\.1\.hook_mlp_out, token_ids/,
    );
  });

  test('lists without a fixed length, beside a column of text, which is passed over', async () => {
    const [batch] = await collect(readDatasetBatches(datasets('loose')));
    expect([...batch.keys()]).toEqual(['x', 'token_ids']);
    expect(batch.get('token_ids')?.shape).toEqual([7, 5]);
    expect(values(batch.get('x'))).toEqual([0, 1, 2, 3, 4, 5, 6].flatMap(activations));
    expect((await readDatasetColumns(datasets('loose')))[1]).toMatchObject({
      name: 'token_ids',
      shape: [undefined],
    });
  });
});

/** Columns, and batches that fit them. */
const DTYPES: Dtype[] = ['F64', 'F32', 'F16', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8'];
const columnSpecs: fc.Arbitrary<ArrowColumnSpec[]> = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: 'grapheme', maxLength: 5 }),
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
);
function batchOf(columns: readonly ArrowColumnSpec[], rows: number, seed: number): ArrowBatch {
  return new Map(
    columns.map(({ name, dtype, shape }) => {
      const count = shape.reduce((product, size) => product * size, rows);
      const bytes = new Uint8Array(count * DTYPE_BYTES[dtype]);
      // Bytes below 0x70 make floats that are finite.
      for (let i = 0; i < bytes.length; i++) bytes[i] = (seed * 31 + i * 7) % 0x70;
      return [name, tensorFromBytes(dtype, [rows, ...shape], bytes, name)];
    }),
  );
}
const table = fc
  .tuple(columnSpecs, fc.array(fc.tuple(fc.nat(4), fc.nat(1000)), { maxLength: 4 }))
  .map(([columns, sizes]) => ({
    columns,
    batches: sizes.map(([rows, seed]) => batchOf(columns, rows, seed)),
  }));

describe('round trip', () => {
  test('whatever is written is read, batch by batch, and the same batches give the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ columns, batches }) => {
        await writeArrow(path, columns, batches, new Map([['key', 'é']]));
        const bytes = await readFile(path);
        expect(await collect(readArrowBatches(path))).toEqual(batches);
        expect(await readArrowColumns(path)).toMatchObject(columns);
        await writeArrow(path, columns, batches, new Map([['key', 'é']]));
        expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
        const { schema, numRows } = tableFromIPC(bytes);
        expect(schema.metadata).toEqual(new Map([['key', 'é']]));
        expect(numRows).toBe(
          batches.reduce((sum, batch) => sum + (batch.get(columns[0].name)?.shape[0] ?? 0), 0),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('the library that wrote the bytes reads the same values', async () => {
    const columns: ArrowColumnSpec[] = [
      { name: 'x', dtype: 'F32', shape: [2, 3] },
      { name: 't', dtype: 'I32', shape: [2] },
    ];
    await writeArrow(path, columns, [batchOf(columns, 2, 1), batchOf(columns, 1, 2)]);
    const [first, second] = await collect(readArrowBatches(path));
    const read = tableFromIPC(await readFile(path));
    const flat = (name: string) =>
      [...read.getChild(name)].flatMap((row) =>
        Array.from(row as Iterable<unknown>, (inner) =>
          typeof inner === 'number' ? [inner] : [...(inner as Iterable<number>)],
        ).flat(),
      );
    expect(flat('x')).toEqual([...values(first.get('x')), ...values(second.get('x'))]);
    expect(flat('t')).toEqual([...values(first.get('t')), ...values(second.get('t'))]);
  });

  test('each batch is written before the next is asked for, and read before the next', async () => {
    const columns: ArrowColumnSpec[] = [{ name: 'x', dtype: 'F32', shape: [64] }];
    const at = await mkdtemp(join(dir, 'pieces-'));
    const sizes: number[] = [];
    async function* watched() {
      for (let i = 0; i < 5; i++) {
        yield batchOf(columns, 100, i);
        const [temporary] = await readdir(at);
        sizes.push((await readFile(join(at, temporary))).length);
      }
    }
    await writeArrow(join(at, 'x.arrow'), columns, watched());
    for (let i = 1; i < sizes.length; i++) expect(sizes[i]).toBeGreaterThan(sizes[i - 1] + 100 * 64 * 4 - 1);
    // A file that is damaged in its last batch gives the others first.
    const bytes = await readFile(join(at, 'x.arrow'));
    await writeFile(path, bytes.subarray(0, bytes.length - 1000));
    const seen: ArrowBatch[] = [];
    const reading = async () => {
      for await (const batch of readArrowBatches(path)) seen.push(batch);
    };
    await expect(reading()).rejects.toThrow(/table\.arrow.*truncated/);
    expect(seen.length).toBe(4);
  });

  test.each<[string, ArrowColumnSpec, Tensor, RegExp]>([
    [
      'another shape',
      { name: 'x', dtype: 'F32', shape: [2] },
      { dtype: 'F32', shape: [1, 3], data: new Float32Array(3) },
      /F32 of shape \[1,3\] is given, expected F32 of \[1,2\]/,
    ],
    [
      'another dtype',
      { name: 'x', dtype: 'F32', shape: [2] },
      { dtype: 'F64', shape: [1, 2], data: new Float64Array(2) },
      /F64 of shape/,
    ],
    [
      'too few elements',
      { name: 'x', dtype: 'F32', shape: [2] },
      { dtype: 'F32', shape: [1, 2], data: new Float32Array(1) },
      /is given, expected/,
    ],
    [
      'a dtype that Arrow has not',
      { name: 'x', dtype: 'BF16', shape: [2] },
      { dtype: 'BF16', shape: [1, 2], data: new Float32Array(2) },
      /BF16 cannot be written/,
    ],
    [
      'six axes',
      { name: 'x', dtype: 'F32', shape: [1, 1, 1, 1, 1, 1] },
      { dtype: 'F32', shape: [1], data: new Float32Array(1) },
      /shape of \[1,1,1,1,1,1\]/,
    ],
  ])('%s: refused on writing, and no file left', async (_, column, tensor, message) => {
    const at = await mkdtemp(join(dir, 'misfit-'));
    const batches = [new Map([['x', tensor]])];
    await expect(writeArrow(join(at, 'a'), [column], batches)).rejects.toThrow(message);
    await expect(writeArrow(join(at, 'a'), [column], batches)).rejects.toThrow(RangeError);
    expect(await readdir(at)).toEqual([]);
  });
});

describe('dataset directories', () => {
  const columns: ArrowColumnSpec[] = [
    { name: 'blocks.0.hook_resid_post', dtype: 'F32', shape: [4, 3] },
    { name: 'token_ids', dtype: 'I32', shape: [4] },
  ];
  const shards = () => [[batchOf(columns, 2, 1), batchOf(columns, 3, 2)], [batchOf(columns, 1, 3)]];

  test('what is written is read, and has the files of save_to_disk', async () => {
    const directory = join(dir, 'written');
    await writeDataset(directory, columns, shards());
    expect((await readdir(directory)).sort()).toEqual([
      'data-00000-of-00002.arrow',
      'data-00001-of-00002.arrow',
      'dataset_info.json',
      'state.json',
    ]);
    expect(await collect(readDatasetBatches(directory))).toEqual(shards().flat());
    const ours = JSON.parse(await readFile(join(directory, 'state.json'), 'utf8'));
    const theirs = JSON.parse(await readFile(join(datasets('activations'), 'state.json'), 'utf8'));
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    expect({ ...ours, _fingerprint: '' }).toEqual({ ...theirs, _fingerprint: '' });
    const info = JSON.parse(await readFile(join(directory, 'dataset_info.json'), 'utf8'));
    expect(info.features).toEqual({
      'blocks.0.hook_resid_post': { shape: [4, 3], dtype: 'float32', _type: 'Array2D' },
      token_ids: { feature: { dtype: 'int32', _type: 'Value' }, length: 4, _type: 'Sequence' },
    });
  });

  test('the schema says of an Array2D what that of datasets says', async () => {
    const directory = join(dir, 'schema');
    const specs: ArrowColumnSpec[] = [
      { name: 'blocks.1.hook_resid_post', dtype: 'F32', shape: [5, 3] },
      { name: 'blocks.1.hook_mlp_out', dtype: 'F16', shape: [5, 3] },
      { name: 'token_ids', dtype: 'I32', shape: [5] },
    ];
    await writeDataset(directory, specs, [[batchOf(specs, 1, 1)]]);
    const schemaOf = async (file: string) => tableFromIPC(await readFile(file)).schema;
    const [ours, theirs] = [
      await schemaOf(join(directory, 'data-00000-of-00001.arrow')),
      await schemaOf(datasets(SHARD)),
    ];
    expect(ours.fields).toEqual(theirs.fields);
    expect(Object.keys(JSON.parse(ours.metadata!.get('huggingface')!).info.features)).toEqual(
      specs.map(({ name }) => name),
    );
  });

  test('the fingerprint is that of the data', async () => {
    const fingerprints = await Promise.all(
      [shards(), shards(), [[batchOf(columns, 2, 9)]]].map(async (content, i) => {
        await writeDataset(join(dir, `print-${i}`), columns, content);
        return JSON.parse(await readFile(join(dir, `print-${i}`, 'state.json'), 'utf8'))._fingerprint;
      }),
    );
    expect(fingerprints[0]).toBe(fingerprints[1]);
    expect(fingerprints[0]).not.toBe(fingerprints[2]);
  });

  test('a batch that does not fit, no shard, and a directory that exists leave nothing', async () => {
    const at = await mkdtemp(join(dir, 'failing-'));
    await expect(writeDataset(join(at, 'd'), columns, [[new Map()]])).rejects.toThrow(RangeError);
    await expect(writeDataset(join(at, 'd'), columns, [])).rejects.toThrow(/0 shards/);
    expect(await readdir(at)).toEqual([]);
    await expect(writeDataset(at, columns, shards())).rejects.toThrow(/exists already/);
  });

  test.each<[string, string, RegExp]>([
    ['a name elsewhere', '{"_data_files":[{"filename":"../../etc/passwd"}]}', /no name of a data file/],
    ['an absolute name', '{"_data_files":[{"filename":"/etc/passwd"}]}', /no name of a data file/],
    ['no name', '{"_data_files":[{}]}', /undefined is no name/],
    ['no files', '{"_data_files":[]}', /names no _data_files/],
    ['null', 'null', /names no _data_files/],
    ['no JSON', '{"_data_files":', /not JSON/],
    [
      'a file that is not there',
      '{"_data_files":[{"filename":"data.arrow"}]}',
      /data\.arrow: there is no such file/,
    ],
  ])('%s in state.json: refused', async (_, state, message) => {
    const at = await mkdtemp(join(dir, 'state-'));
    await writeFile(join(at, 'state.json'), state);
    await expect(collect(readDatasetBatches(at))).rejects.toThrow(message);
    await expect(collect(readDatasetBatches(at))).rejects.toThrow(InputError);
  });

  test('a directory of something else is named', async () => {
    await expect(collect(readDatasetBatches(dir))).rejects.toThrow(/state\.json: there is no such file/);
  });
});

describe('damaged and hostile streams', () => {
  const stream = (arrays: Record<string, unknown[]>) =>
    tableToIPC(tableFromArrays(arrays), { format: 'stream' })!;

  test.each<[string, () => Uint8Array, RegExp]>([
    ['empty', () => new Uint8Array(0), /ends before byte 8; it is truncated/],
    ['a text', () => Buffer.from('text, and nothing else'), /no Arrow message begins at byte 0/],
    [
      "Arrow's file format",
      () => tableToIPC(tableFromArrays({ a: [1] }), { format: 'file' })!,
      /file format \(Feather\)/,
    ],
    [
      'a message of 4 GiB',
      () => Uint8Array.of(255, 255, 255, 255, 254, 255, 255, 255),
      /message of 4294967294 bytes/,
    ],
    [
      'an end without a schema',
      () => Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0, 1),
      /goes on after the end/,
    ],
    ['bytes after the end', () => Uint8Array.from([...stream({ a: [1] }), 0]), /goes on after the end/],
    [
      'two streams',
      () => Uint8Array.from([...stream({ a: [1] }), ...stream({ a: [1] })]),
      /goes on after the end/,
    ],
    [
      'rows of different lengths',
      () => stream({ a: [[1, 2], [3]] }),
      /"a": its lists are not all of one length: list 1/,
    ],
    ['nulls', () => stream({ a: [1, null, 3] }), /"a": 1 of its values are null/],
    [
      'nulls within lists',
      () =>
        stream({
          a: [
            [1, null],
            [3, 4],
          ],
        }),
      /"a": 1 of its values are null/,
    ],
    ['null lists', () => stream({ a: [[1, 2], null] }), /"a": 1 of its values are null/],
  ])('%s: refused, with the file named', async (_, make, message) => {
    await expect(readBytes(make())).rejects.toThrow(message);
    await expect(readBytes(make())).rejects.toThrow(InputError);
    await expect(readBytes(make())).rejects.toThrow(/table\.arrow/);
  });

  test('compressed batches are refused by name', async () => {
    setCompressionCodec(0, { encode: (bytes) => bytes, decode: (bytes) => bytes });
    const bytes = tableToIPC(tableFromArrays({ a: new Array(100).fill(1) }), { format: 'stream', codec: 0 })!;
    await expect(readBytes(bytes)).rejects.toThrow(/batches are compressed, which is not supported/);
  });

  test('text, booleans, dictionaries and structs beside a column of numbers are passed over', async () => {
    const bytes = stream({
      text: ['a', 'b'],
      flag: [true, false],
      struct: [
        { x: 1, y: 'a' },
        { x: 2, y: 'b' },
      ],
      when: [new Date(0), new Date(1)],
      a: [[1], [2]],
      z: [3, 4],
    });
    const [batch] = await readBytes(bytes);
    expect([...batch].map(([name, tensor]) => [name, tensor.shape, values(tensor)])).toEqual([
      ['a', [2, 1], [1, 2]],
      ['z', [2], [3, 4]],
    ]);
  });

  /**
   * A schema of tables in a few hundred bytes, in which each field refers four times to one and the same field a level
   * below: in fourteen levels, some four hundred million fields.
   */
  test.each<[number, RegExp]>([
    [14, /more than 100000 tables/],
    [30, /nested deeper than 16 levels/],
  ])('a schema that unfolds into %s levels of fields is refused', async (levels, message) => {
    const bytes = Buffer.alloc(64 + 96 * (levels + 2));
    const table = (level: number) => 64 + 96 * level;
    const refer = (at: number, to: number) => bytes.writeUInt32LE(to - at, at);
    /** A table at `at`, whose list of fields, as [slot, offset], stands at `slots`. */
    const put = (at: number, slots: number, fields: [number, number][]) => {
      bytes.writeInt32LE(at - slots, at);
      bytes.writeUInt16LE(18, slots);
      for (const [slot, offset] of fields) bytes.writeUInt16LE(offset, slots + slot);
    };
    // The message: version V5, a header of type 1, which is the schema.
    refer(0, 8);
    put(8, 32, [
      [4, 4],
      [6, 6],
      [8, 8],
    ]);
    bytes.writeInt16LE(4, 12);
    bytes.writeUInt8(1, 14);
    refer(16, table(0));
    for (let level = 0; level <= levels; level++) {
      const at = table(level);
      // Children stand in slot 6 of the schema and in slot 14 of a field, which is a struct (13), its type anywhere.
      const children: [number, number] = [level === 0 ? 6 : 14, 4];
      const struct: [number, number][] = [
        [8, 8],
        [10, 12],
      ];
      put(at, at + 40, level === 0 ? [children] : [children, ...struct]);
      bytes.writeUInt8(13, at + 8);
      refer(at + 12, table(levels + 1));
      refer(at + 4, at + 16);
      bytes.writeUInt32LE(level === levels ? 0 : 4, at + 16);
      for (let child = 0; child < 4 && level < levels; child++) refer(at + 20 + 4 * child, table(level + 1));
    }
    put(table(levels + 1), table(levels + 1) + 40, []);
    const prefix = Buffer.alloc(8, 255);
    prefix.writeUInt32LE(bytes.length, 4);
    await expect(readBytes(Buffer.concat([prefix, bytes]))).rejects.toThrow(message);
  });

  test('a cut anywhere is noticed, and changed bytes give batches that fit the file, or an InputError', async () => {
    const bytes = await readFile(datasets(SHARD));
    await refusesEveryCut(bytes, 9, (cut) => readBytes(cut));
    await survivesMutations(
      bytes,
      1500,
      (mutated) => readBytes(mutated),
      (batches) => {
        for (const batch of batches as ArrowBatch[]) {
          for (const { shape, data } of batch.values()) {
            expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
            expect(data.byteLength).toBeLessThanOrEqual(2 * bytes.length + 400);
          }
        }
      },
    );
  });
});
