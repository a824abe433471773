/**
 * The corpus `self`: text that the model itself writes, which is text of the kind it was trained on, in any
 * amount and without a download. It is kept in the cache, as writing it takes a while.
 */

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../formats/errors.ts';
import { sha256 } from '../../formats/hash.ts';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../formats/safetensors.ts';
import { sampleTokens } from '../../models/sampling.ts';
import type { Transformer } from '../../models/transformer.ts';
import { cacheDirectory } from '../cache.ts';
import { type Corpus, checkContext, hashedCorpus } from '../corpus.ts';
import type { Progress } from '../source.ts';

/**
 * `tokens`, rounded up to whole sequences of `context` tokens, sampled from BOS on. Each sequence is a document;
 * where the model ends a story it begins the next. The same recipe gives the same tokens, so a cached corpus is
 * taken where there is one, after its hash was checked. A cache file that is damaged, or that cannot be written,
 * is told to `onNotice` and costs only time. Progress is in tokens, and only while sampling.
 */
export async function selfSampledCorpus(
  model: Transformer,
  options: {
    modelSha256: string;
    tokens: number;
    context: number;
    temperature: number;
    seed: number;
    directory?: string;
    onProgress?: Progress;
    onNotice?: (message: string) => void;
  },
): Promise<Corpus> {
  const { tokens, context, temperature, seed, directory = cacheDirectory(), onProgress } = options;
  const notice = options.onNotice ?? ((message) => process.emitWarning(message));
  checkContext(context);
  if (context > model.config.context)
    throw new InputError(
      `context: ${context} was given; model ${model.config.name} takes ${model.config.context}`,
    );
  if (!(tokens >= 1)) throw new InputError(`tokens: ${tokens} was given; a corpus has 1 token or more`);
  const { sequences, recipe, path } = selfSampledFile(model, options, directory);
  const assemble = (all: Int32Array): Corpus =>
    hashedCorpus({
      name: 'self',
      description:
        `${sequences} texts of ${context} tokens sampled from ${model.config.name} ` +
        `at temperature ${temperature}, seed ${seed}: written by the model, not by people`,
      modelGenerated: true,
      tokens: all,
      offsets: Uint32Array.from({ length: sequences + 1 }, (_, i) => i * context),
      documents: Uint32Array.from({ length: sequences }, (_, i) => i),
    });

  const cached = await readCached(path, recipe, assemble, notice);
  if (cached !== undefined) return cached;
  const corpus = assemble(
    await sampleTokens(model, { sequences, length: context, temperature, seed, onProgress }),
  );
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeSafetensors(
      path,
      { tokens: { dtype: 'I32', shape: [sequences, context], data: corpus.tokens } },
      { recipe, sha256: corpus.sha256 },
    );
  } catch (error) {
    notice(`the sampled corpus could not be kept for the next time: ${(error as Error).message}`);
  }
  return corpus;
}

/** Where such a corpus is kept, or will be; the recipe that it is known by; and how many sequences it has. */
export function selfSampledFile(
  model: Transformer,
  recipe: { modelSha256: string; tokens: number; context: number; temperature: number; seed: number },
  directory = cacheDirectory(),
): { sequences: number; recipe: string; path: string } {
  const { modelSha256, tokens, context, temperature, seed } = recipe;
  const sequences = Math.ceil(tokens / context);
  // Kernels of another instruction set or precision round otherwise, and one token that differs makes another story.
  const { precision } = model;
  const { instructionSet } = model.backend;
  const text = JSON.stringify({
    format: 2,
    modelSha256,
    seed,
    temperature,
    context,
    sequences,
    instructionSet,
    precision,
  });
  return {
    sequences,
    recipe: text,
    path: join(directory, 'corpora', `self-${sha256(text)}.safetensors`),
  };
}

/** The corpus in the cache file, or undefined where there is no file or it is damaged. */
async function readCached(
  path: string,
  recipe: string,
  assemble: (tokens: Int32Array) => Corpus,
  notice: (message: string) => void,
): Promise<Corpus | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const { metadata } = await readSafetensorsHeader(path);
    const tokens = (await readSafetensors(path)).get('tokens');
    if (metadata.recipe !== recipe || tokens?.dtype !== 'I32')
      throw new InputError(`${path}: it does not hold the corpus that it is named for`);
    const corpus = assemble(tokens.data);
    if (corpus.sha256 !== metadata.sha256)
      throw new InputError(`${path}: the tokens have SHA-256 ${corpus.sha256}, expected ${metadata.sha256}`);
    return corpus;
  } catch (error) {
    notice(`the cached corpus is damaged and is sampled anew: ${(error as Error).message}`);
    return undefined;
  }
}
