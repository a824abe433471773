import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readParquet, readParquetGroups, writeParquet } from '../../src/formats/parquet.ts';
import type { Example, Feature } from '../../src/runs/schema.ts';
import { readExamples, readFeatures, writeExamples, writeFeatures } from '../../src/runs/tables.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-tables-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Numbers that a 32-bit float holds exactly, so that they come back the same. */
function feature(latent: number): Feature {
  return {
    latent,
    density: 0.25,
    firings: 3_000_000_000,
    maxActivation: 2.5,
    meanActivation: 0.75,
    promotedTokens: [' cat', '"', '\n', ''],
    promotedLogits: [1.5, 1.25, 1, 0.5],
    suppressedTokens: [],
    suppressedLogits: [],
    topTokens: ['\u202eשלום', '🐈', '\u0000'],
  };
}

function example(latent: number, quantile = -1): Example {
  return {
    latent,
    kind: quantile < 0 ? 'top' : 'quantile',
    quantile,
    rank: 0,
    document: 4,
    sequence: 17,
    position: 33,
    activation: 1.5,
    tokens: ['<s>', ' a', ' cat'],
    activations: [0, 0.25, 1.5],
    focus: 2,
  };
}

describe('features.parquet', () => {
  it('comes back as it was written; undefined before', async () => {
    expect(await readFeatures(directory)).toBeUndefined();
    const features = [
      { ...feature(0), density: 0.1 },
      { ...feature(1), density: 1e-6 },
    ];
    await writeFeatures(directory, features);
    expect(await readFeatures(directory)).toEqual(features);
  });

  it('may be empty', async () => {
    await writeFeatures(directory, []);
    expect(await readFeatures(directory)).toEqual([]);
  });

  it('has the columns that other tools are told of', async () => {
    await writeFeatures(directory, [feature(0)]);
    const [row] = await readParquet(join(directory, 'features.parquet'));
    expect(Object.keys(row)).toEqual([
      'latent',
      'density',
      'firings',
      'max_activation',
      'mean_activation',
      'promoted_tokens',
      'promoted_logits',
      'suppressed_tokens',
      'suppressed_logits',
      'top_tokens',
    ]);
  });

  it('is not written with a faulty row, which is named', async () => {
    const bad = { ...feature(1), density: 1.5 };
    await expect(writeFeatures(directory, [feature(0), bad])).rejects.toThrow(
      /features\.parquet, row 1: density: found 1\.5/,
    );
    const uneven = { ...feature(0), promotedLogits: [1] };
    await expect(writeFeatures(directory, [uneven])).rejects.toThrow(
      /row 0: promotedLogits: 1 logits for 4 tokens/,
    );
    expect(await readFeatures(directory)).toBeUndefined();
  });
});

describe('examples.parquet', () => {
  it('comes back as it was written, of some latents where asked', async () => {
    expect(await readExamples(directory)).toBeUndefined();
    const examples = [example(0), example(0, 9), example(1), example(2, 0)];
    await writeExamples(directory, examples);
    expect(await readExamples(directory)).toEqual(examples);
    expect(await readExamples(directory, new Set([0, 2]))).toEqual([examples[0], examples[1], examples[3]]);
  });

  it('is written as the examples come, in groups of which a few hold all of one latent', async () => {
    const path = join(directory, 'examples.parquet');
    const [latents, each] = [300, 31];
    const examples = function* () {
      for (let latent = 0; latent < latents; latent++)
        for (let rank = 0; rank < each; rank++) yield { ...example(latent), rank };
    };
    await writeExamples(directory, examples());
    expect(await readExamples(directory)).toEqual([...examples()]);
    const starts: number[] = [];
    for await (const { firstRow } of readParquetGroups(path, { columns: ['latent'] })) starts.push(firstRow);
    expect(starts.length).toBeGreaterThan(2);
    // Of a latent that lies across two groups nothing is lost.
    const across = Math.floor(starts[1] / each);
    expect(starts[1] % each).not.toBe(0);
    const found = await readExamples(directory, new Set([across, latents]));
    expect(found).toEqual([...examples()].filter(({ latent }) => latent === across));
  });

  it('is not there where the examples fail midway, and the error is theirs', async () => {
    const fault = new Error('interrupted');
    async function* failing() {
      for (let latent = 0; latent < 5000; latent++) yield example(latent);
      throw fault;
    }
    await expect(writeExamples(directory, failing())).rejects.toBe(fault);
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses rows that contradict themselves', async () => {
    const refused = async (patch: Partial<Example>, message: RegExp) =>
      expect(writeExamples(directory, [{ ...example(0), ...patch }])).rejects.toThrow(message);
    await refused({ focus: 3 }, /row 0: focus: found 3, expected less than the 3 tokens/);
    await refused({ activations: [1] }, /row 0: activations: 1 activations for 3 tokens/);
    await refused({ kind: 'quantile' }, /row 0: quantile: found -1 in a quantile example, expected 0 to 9/);
    await refused({ quantile: 4 }, /row 0: quantile: found 4 in a top example, expected -1/);
  });

  it('is refused by name where it is damaged, or lacks a column', async () => {
    const path = join(directory, 'examples.parquet');
    await writeFile(path, 'PAR1 and no more');
    await expect(readExamples(directory)).rejects.toThrow(/examples\.parquet/);
    await writeParquet(path, [{ name: 'latent', data: [1], type: 'INT32' }]);
    await expect(readExamples(directory)).rejects.toThrow(/examples\.parquet: there is no column kind/);
  });
});
