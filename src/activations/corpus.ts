/**
 * A corpus: tokens in sequences, sequences in documents, with a hash by which it is known again. Documents are
 * what is split and what is resampled, since the rows of one document are not independent. It must not know
 * where texts come from, nor any model.
 */

import { createHash } from 'node:crypto';
import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';

/** Every sequence begins with the token BOS, which opens a text, and has one token more at least. */
export interface Corpus {
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** Whether a model wrote the text. What is found in such text may be the writer's, and must be so labelled. */
  readonly modelGenerated: boolean;
  /** Of the tokens and of how they are divided into sequences and documents. */
  readonly sha256: string;
  /** All sequences, end to end. */
  readonly tokens: Int32Array;
  /** Where each sequence starts in `tokens`, and the end: `[sequences + 1]`. */
  readonly offsets: Uint32Array;
  /** The document that each sequence is from, ascending from 0 with none left out: `[sequences]`. */
  readonly documents: Uint32Array;
}

export function sequenceCount(corpus: Corpus): number {
  return corpus.documents.length;
}

export function documentCount(corpus: Pick<Corpus, 'documents'>): number {
  return corpus.documents.length === 0 ? 0 : corpus.documents[corpus.documents.length - 1] + 1;
}

/** Of the whole corpus, or of the sequences given. BOS tokens count. */
export function tokenCount(corpus: Corpus, sequences?: ArrayLike<number>): number {
  if (sequences === undefined) return corpus.tokens.length;
  let count = 0;
  for (let i = 0; i < sequences.length; i++)
    count += corpus.offsets[sequences[i] + 1] - corpus.offsets[sequences[i]];
  return count;
}

/** The tokens of one sequence, BOS first: a view, not a copy. */
export function sequence(corpus: Corpus, index: number): Int32Array {
  if (!(Number.isInteger(index) && index >= 0 && index < sequenceCount(corpus)))
    throw new RangeError(`sequence ${index} was asked for; the corpus has ${sequenceCount(corpus)}`);
  return corpus.tokens.subarray(corpus.offsets[index], corpus.offsets[index + 1]);
}

/**
 * A corpus of documents given as their tokens without BOS. A document is cut into sequences of `context` tokens
 * at most, each led by `bos`. Documents without tokens are passed over.
 */
export async function buildCorpus(options: {
  name: string;
  /** Made once the documents have been counted. */
  describe: (documents: number) => string;
  modelGenerated: boolean;
  context: number;
  bos: number;
  documents: AsyncIterable<Int32Array> | Iterable<Int32Array>;
}): Promise<Corpus> {
  const { name, describe, modelGenerated, context, bos } = options;
  checkContext(context);
  const pieces: Int32Array[] = [];
  const owners: number[] = [];
  let documents = 0;
  for await (const tokens of options.documents) {
    for (let start = 0; start < tokens.length; start += context - 1) {
      pieces.push(tokens.subarray(start, start + context - 1));
      owners.push(documents);
    }
    if (tokens.length > 0) documents++;
  }
  const offsets = new Uint32Array(pieces.length + 1);
  pieces.forEach((piece, i) => {
    offsets[i + 1] = offsets[i] + 1 + piece.length;
  });
  const tokens = new Int32Array(offsets[pieces.length]);
  pieces.forEach((piece, i) => {
    tokens[offsets[i]] = bos;
    tokens.set(piece, offsets[i] + 1);
  });
  return hashedCorpus({
    name,
    description: describe(documents),
    modelGenerated,
    tokens,
    offsets,
    documents: Uint32Array.from(owners),
  });
}

/** A sequence holds BOS, which is left out of the activations, and a token more. */
export function checkContext(context: number): void {
  if (!Number.isInteger(context) || context < 2)
    throw new InputError(`context: ${context} was given; a sequence takes a whole number of tokens from 2`);
}

/** Adds the hash to a corpus. */
export function hashedCorpus(corpus: Omit<Corpus, 'sha256'>): Corpus {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of [corpus.offsets, corpus.documents, corpus.tokens])
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return { ...corpus, sha256: hash.digest('hex') };
}

/** Sequence indices of each part, ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/**
 * Divides a corpus so that each document is in one part only: the documents in an order drawn from `seed`, the
 * first `test` of them (a fraction, rounded, one at least) to test, the next to validation, the rest to train.
 * InputError where the fractions leave a part without a document.
 */
export function splitByDocument(
  corpus: Pick<Corpus, 'name' | 'documents'>,
  fractions: { validation: number; test: number },
  seed: number,
): Split {
  const { validation, test } = fractions;
  if (!(validation > 0 && test > 0 && validation + test < 1)) {
    throw new InputError(
      `validationFraction ${validation} and testFraction ${test}: each must be above 0, and their sum below 1`,
    );
  }
  const documents = documentCount(corpus);
  const inTest = Math.max(1, Math.round(test * documents));
  const inValidation = Math.max(1, Math.round(validation * documents));
  if (inTest + inValidation >= documents) {
    throw new InputError(
      `corpus ${corpus.name}: ${documents} documents cannot be split into training, validation (${validation}) ` +
        `and test (${test}) with one document in each; give more documents or smaller fractions`,
    );
  }
  const rank = new Uint32Array(documents);
  new Random(seed, 'split').permutation(documents).forEach((document, place) => {
    rank[document] = place;
  });
  const part = (from: number, to: number): Uint32Array =>
    Uint32Array.from(corpus.documents.keys()).filter((s) => {
      const place = rank[corpus.documents[s]];
      return place >= from && place < to;
    });
  return {
    test: part(0, inTest),
    validation: part(inTest, inTest + inValidation),
    train: part(inTest + inValidation, documents),
  };
}
