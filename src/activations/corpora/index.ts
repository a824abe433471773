/** The corpus that a name stands for. It must not know what the corpus is read for. */

import { existsSync } from 'node:fs';
import { InputError } from '../../formats/errors.ts';
import { closest } from '../../formats/suggest.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import type { Transformer } from '../../models/transformer.ts';
import type { Corpus } from '../corpus.ts';
import type { Progress } from '../source.ts';
import { gutenbergCorpus } from './gutenberg.ts';
import { selfSampledCorpus } from './selfSampled.ts';
import { textFilesCorpus } from './textFiles.ts';

const NAMED = ['self', 'gutenberg-children'];

export interface CorpusSpec {
  /** `self`, `gutenberg-children`, or the path of a text file or of a directory of them. */
  readonly name: string;
  /** Tokens of `self`, rounded up to whole sequences; of other corpora all are taken. */
  readonly tokens: number;
  /** Tokens of the longest sequence, BOS included. */
  readonly context: number;
  /** Of the sampling of `self`. */
  readonly temperature: number;
  /** Field of `.jsonl`, column of `.parquet` files. */
  readonly textField: string;
  /** Of the sampling of `self`. */
  readonly seed: number;
}

/**
 * The corpus that `spec.name` stands for, cut for the model. `modelSha256` is of the weights that `model` has.
 * Progress is in tokens, and is made only where `self` is not in the cache.
 */
export async function loadCorpus(
  spec: CorpusSpec,
  options: {
    model: Transformer;
    tokenizer: Tokenizer;
    modelSha256: string;
    onProgress?: Progress;
    onNotice?: (message: string) => void;
  },
): Promise<Corpus> {
  const { model, tokenizer, modelSha256, onProgress, onNotice } = options;
  const { name, tokens, context, temperature, textField, seed } = spec;
  if (context > model.config.context)
    throw new InputError(
      `context: ${context} was given; model ${model.config.name} takes ${model.config.context}`,
    );
  if (name === 'self') {
    const recipe = { modelSha256, tokens, context, temperature, seed };
    return selfSampledCorpus(model, { ...recipe, onProgress, onNotice });
  }
  if (name === 'gutenberg-children') return gutenbergCorpus({ tokenizer, context });
  if (!existsSync(name)) {
    const near = closest(name, NAMED);
    throw new InputError(
      `corpus ${name}: no such file or directory, and no corpus of that name (there are ${NAMED.join(', ')})` +
        (near ? `; did you mean ${near}?` : ''),
    );
  }
  return textFilesCorpus(name, { tokenizer, context, textField });
}
