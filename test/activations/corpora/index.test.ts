import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cacheDirectory } from '../../../src/activations/cache.ts';
import { loadCorpus } from '../../../src/activations/corpora/index.ts';
import { documentCount } from '../../../src/activations/corpus.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { inTemporaryDirectory, letters } from '../helpers.ts';
import { tinyModel } from '../tinyModel.ts';

const spec = { name: 'self', tokens: 20, context: 8, temperature: 1, textField: 'text', seed: 0 };
const options = { model: tinyModel(), tokenizer: letters, modelSha256: 'e'.repeat(64) };

afterEach(() => vi.unstubAllEnvs());

describe('loadCorpus', () => {
  test('finds the named corpora and those on disk', async () => {
    await inTemporaryDirectory(async (directory) => {
      vi.stubEnv('MONOSEM_CACHE', join(directory, 'cache'));
      const path = join(directory, 'my.jsonl');
      await writeFile(path, '{"story":"One"}\n{"story":"Two"}\n');
      expect((await loadCorpus(spec, options)).modelGenerated).toBe(true);
      expect((await loadCorpus({ ...spec, name: 'gutenberg-children' }, options)).name).toBe(
        'gutenberg-children',
      );
      const mine = await loadCorpus({ ...spec, name: path, textField: 'story' }, options);
      expect([mine.name, documentCount(mine)]).toEqual(['my.jsonl', 2]);
    });
  });

  test('names a corpus that is not there, and what may have been meant', async () => {
    const problem = await loadCorpus({ ...spec, name: 'gutenberg-childern' }, options).catch(
      (error) => error,
    );
    expect(problem).toBeInstanceOf(InputError);
    expect(problem.message).toContain('corpus gutenberg-childern: no such file');
    expect(problem.message).toContain('did you mean gutenberg-children?');
  });

  test('refuses a context longer than the model takes, for any corpus', async () => {
    const problem = loadCorpus({ ...spec, name: 'gutenberg-children', context: 256 }, options);
    await expect(problem).rejects.toThrow('context: 256 was given; model tiny takes 12');
  });
});

test('MONOSEM_CACHE moves the cache', () => {
  vi.stubEnv('MONOSEM_CACHE', '');
  expect(cacheDirectory()).toMatch(/monosem/);
  vi.stubEnv('MONOSEM_CACHE', join('some', 'where'));
  expect(cacheDirectory()).toBe(join(process.cwd(), 'some', 'where'));
});
