/** Activations to files of other tools and back, read as they lie, in any order, and refused by name where they do not fit. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openActivations, writeActivations } from '../../../src/activations/files/index.ts';
import { writeNpy } from '../../../src/formats/npy.ts';
import { writeParquet } from '../../../src/formats/parquet.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import { Random } from '../../../src/math/random.ts';
import { allSequences, syntheticSource } from '../helpers.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'monosem-files-'));
  vi.stubEnv('MONOSEM_CACHE', join(dir, 'cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

const source = syntheticSource(Array.from({ length: 300 }, (_, i) => 1 + (i % 7)));

describe.each(['safetensors', 'parquet'])('.%s', (format) => {
  it('gives back rows and labels, in any order', async () => {
    const path = join(dir, `all.${format}`);
    const progress: number[] = [];
    await writeActivations(path, source, { onProgress: (done) => void progress.push(done) });
    expect(progress.at(-1)).toBe(source.totalRows);
    const read = await openActivations(path);
    expect([read.width, read.sequences, read.totalRows]).toEqual([source.width, 300, source.totalRows]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 299 }), { maxLength: 12 }), async (asked) => {
        expect(await read.read(asked)).toEqual(await source.read(asked));
      }),
      { numRuns: 40 },
    );
  });
});

describe('.npy', () => {
  it('gives back the rows, in runs that stand for sequences', async () => {
    const path = join(dir, 'all.npy');
    await writeActivations(path, source);
    const read = await openActivations(path);
    const all = await read.read(allSequences(read));
    expect(all.activations).toEqual((await source.read(allSequences(source))).activations);
    expect(read.rowsOf(0)).toBe(128);
    expect(all.positions[129]).toBe(1);
    expect(all.documents[129]).toBe(1);
  });
});

describe('a Hugging Face dataset', () => {
  it('gives back rows and tokens, in contexts of one length', async () => {
    const path = join(dir, 'dataset');
    await writeActivations(path, source, { hook: 'blocks.0.hook_resid_post' });
    const read = await openActivations(path);
    const [all, expected] = [await read.read(allSequences(read)), await source.read(allSequences(source))];
    const rows = Math.floor(source.totalRows / 7) * 7;
    expect([read.totalRows, read.rowsOf(0)]).toEqual([rows, 7]);
    expect(all.activations).toEqual(expected.activations.subarray(0, rows * source.width));
    expect(all.tokens).toEqual(expected.tokens.subarray(0, rows));
  });

  it('is read as the library of Hugging Face wrote it', async () => {
    const path = 'test/fixtures/formats/datasets/activations';
    await expect(openActivations(path)).rejects.toThrow(/hook_resid_post .*hook_mlp_out .*<column>/);
    const read = await openActivations(join(path, 'blocks.1.hook_mlp_out'));
    const { activations, tokens } = await read.read([0]);
    expect(activations.length).toBe(read.width * read.rowsOf(0));
    expect(tokens.length).toBe(read.rowsOf(0));
    expect(new Set(activations).size).toBeGreaterThan(4);
  });
});

it('reads tensors of sequences, half precision, and a name of its own', async () => {
  const data = new Float32Array(2 * 3 * 4);
  new Random(1).fillNormal(data, 1);
  const path = join(dir, 'sequences.safetensors');
  await writeSafetensors(path, { 'blocks.0': { dtype: 'F16', shape: [2, 3, 4], data } });
  const read = await openActivations(path);
  expect([read.sequences, read.rowsOf(1), read.width]).toEqual([2, 3, 4]);
  const { activations, positions, sequences } = await read.read([1]);
  activations.forEach((value, i) => {
    expect(Math.abs(value - data[12 + i])).toBeLessThan(1e-3 * (1 + Math.abs(value)));
  });
  expect([...positions]).toEqual([0, 1, 2]);
  expect([...sequences]).toEqual([1, 1, 1]);
});

describe('refusals', () => {
  const matrix = (values: number[], shape: number[]) => ({
    dtype: 'F32' as const,
    shape,
    data: Float32Array.from(values),
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'a file of another format',
      async () => {
        const path = join(dir, 'a.txt');
        await writeFile(path, 'text');
        return path;
      },
      /a\.txt: not a file of activations.*\.npy/,
    ],
    [
      'a file that is not there',
      async () => join(dir, 'none.parquet'),
      /none\.parquet.*no such file|none\.parquet/,
    ],
    [
      'tensors of which none is a matrix',
      async () => {
        const path = join(dir, 'bias.safetensors');
        await writeSafetensors(path, { bias: matrix([1, 2], [2]) });
        return path;
      },
      /bias\.safetensors: it holds bias \(F32 \[2\]\); expected a tensor activations/,
    ],
    [
      'labels that do not fit',
      async () => {
        const path = join(dir, 'labels.safetensors');
        const token_ids = { dtype: 'I32' as const, shape: [3], data: Int32Array.of(1, 2, 3) };
        await writeSafetensors(path, { activations: matrix([1, 2, 3, 4], [2, 2]), token_ids });
        return path;
      },
      /token_ids is I32 \[3\]; expected I32, one for each of 2 rows/,
    ],
    [
      'sequences that do not stand together',
      async () => {
        const path = join(dir, 'torn.safetensors');
        const sequence_ids = { dtype: 'I32' as const, shape: [3], data: Int32Array.of(1, 2, 1) };
        await writeSafetensors(path, { activations: matrix([1, 2, 3], [3, 1]), sequence_ids });
        return path;
      },
      /sequence 1 do not stand together/,
    ],
    [
      'a column that is not there',
      async () => {
        const path = join(dir, 'other.parquet');
        await writeParquet(path, [{ name: 'text', data: ['a'] }]);
        return path;
      },
      /other\.parquet: its columns are text; expected activations/,
    ],
    [
      'rows of different width',
      async () => {
        const path = join(dir, 'ragged.parquet');
        await writeParquet(path, [{ name: 'activations', type: 'FLOAT[]', data: [[1, 2], [3]] }]);
        return path;
      },
      /row 1 has 1 activations, the first row has 2/,
    ],
    [
      'an array of other numbers',
      async () => {
        const path = join(dir, 'ints.npy');
        await writeNpy(path, { dtype: 'I32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) });
        return path;
      },
      /ints\.npy: it holds I32/,
    ],
  ])('name %s', async (_, make, message) => {
    await expect(openActivations(await make())).rejects.toThrow(message);
  });

  it('name a value that is not finite, when it is read', async () => {
    const path = join(dir, 'nan.npy');
    await writeNpy(path, matrix([1, 2, Number.NaN, 4], [2, 2]));
    await expect((await openActivations(path)).read([0])).rejects.toThrow(
      /nan\.npy: an activation of sequence 0 is NaN/,
    );
  });

  it('name a file name that no format goes with', async () => {
    await expect(writeActivations(join(dir, 'a.csv'), source)).rejects.toThrow(
      /a\.csv: expected a name that ends in/,
    );
  });
});
