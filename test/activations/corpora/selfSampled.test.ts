import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { selfSampledCorpus } from '../../../src/activations/corpora/selfSampled.ts';
import { documentCount, sequence, sequenceCount, tokenCount } from '../../../src/activations/corpus.ts';
import { InputError } from '../../../src/formats/errors.ts';
import type { Transformer } from '../../../src/models/transformer.ts';
import { inTemporaryDirectory } from '../helpers.ts';
import { tinyModel } from '../tinyModel.ts';

const recipe = { modelSha256: 'c'.repeat(64), tokens: 50, context: 8, temperature: 1, seed: 3 };

/** A model that cannot be run: what it gives must come from the cache. */
const idle: Transformer = {
  ...tinyModel(),
  decoder: () => {
    throw new Error('the model was run');
  },
};

async function onlyFile(directory: string): Promise<string> {
  const names = await readdir(join(directory, 'corpora'));
  expect(names.length).toBe(1);
  expect(names[0]).toMatch(/^self-[0-9a-f]{64}\.safetensors$/);
  return join(directory, 'corpora', names[0]);
}

describe('selfSampledCorpus', () => {
  test('is whole sequences from BOS, each a document, said to be by a model', async () => {
    await inTemporaryDirectory(async (directory) => {
      const corpus = await selfSampledCorpus(tinyModel(), { ...recipe, directory });
      expect([sequenceCount(corpus), documentCount(corpus), tokenCount(corpus)]).toEqual([7, 7, 56]);
      for (let i = 0; i < 7; i++)
        expect([sequence(corpus, i)[0], sequence(corpus, i).length]).toEqual([1, 8]);
      expect(new Set(corpus.tokens).size).toBeGreaterThan(3);
      expect(corpus.modelGenerated).toBe(true);
      expect(corpus.description).toMatch(/sampled from tiny at temperature 1, seed 3: written by the model/);
    });
  });

  test('is read from the cache the second time, the same to the last byte', async () => {
    await inTemporaryDirectory(async (directory) => {
      const progress: number[] = [];
      const onProgress = (done: number): number => progress.push(done);
      const first = await selfSampledCorpus(tinyModel(), { ...recipe, directory, onProgress });
      expect(progress.at(-1)).toBe(56);
      const again = await selfSampledCorpus(idle, { ...recipe, directory });
      expect(again).toEqual(first);
    });
  });

  test('has a cache file for each recipe', async () => {
    await inTemporaryDirectory(async (directory) => {
      const variants = [{}, { seed: 4 }, { temperature: 0.5 }, { context: 6 }, { tokens: 60 }];
      for (const variant of variants)
        await selfSampledCorpus(tinyModel(), { ...recipe, ...variant, directory });
      await selfSampledCorpus(tinyModel(), { ...recipe, modelSha256: 'd'.repeat(64), directory });
      expect((await readdir(join(directory, 'corpora'))).length).toBe(6);
    });
  });

  test.each([
    ['cut short', (path: string) => truncate(path, 400)],
    ['empty', (path: string) => writeFile(path, '')],
    [
      'changed',
      async (path: string) => {
        const bytes = await readFile(path);
        bytes[bytes.length - 4] ^= 1;
        await writeFile(path, bytes);
      },
    ],
  ])('is told of and made again where the cache file is %s', async (_, damage) => {
    await inTemporaryDirectory(async (directory) => {
      const first = await selfSampledCorpus(tinyModel(), { ...recipe, directory });
      const path = await onlyFile(directory);
      const bytes = await readFile(path);
      await damage(path);
      const notices: string[] = [];
      const onNotice = (message: string): number => notices.push(message);
      const again = await selfSampledCorpus(tinyModel(), { ...recipe, directory, onNotice });
      expect(again).toEqual(first);
      expect(notices).toEqual([expect.stringContaining(path)]);
      expect(await readFile(path)).toEqual(bytes);
    });
  });

  test('is given although the cache cannot be written, which is told', async () => {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'a-file');
      await writeFile(file, '');
      const notices: string[] = [];
      const onNotice = (message: string): number => notices.push(message);
      const corpus = await selfSampledCorpus(tinyModel(), { ...recipe, directory: file, onNotice });
      expect(sequenceCount(corpus)).toBe(7);
      expect(notices).toEqual([expect.stringContaining('could not be kept')]);
    });
  });

  test('refuses a context longer than the model takes', async () => {
    await expect(selfSampledCorpus(tinyModel(), { ...recipe, context: 13 })).rejects.toThrow(InputError);
  });
});
