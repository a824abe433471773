import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildCorpus,
  type Corpus,
  documentCount,
  sequence,
  sequenceCount,
  splitByDocument,
  tokenCount,
} from '../../src/activations/corpus.ts';
import { InputError } from '../../src/formats/errors.ts';

function corpusOf(documents: number[][], context = 4): Promise<Corpus> {
  return buildCorpus({
    name: 'test',
    describe: (count) => `${count} documents`,
    modelGenerated: false,
    context,
    bos: 0,
    documents: documents.map((tokens) => Int32Array.from(tokens)),
  });
}

describe('buildCorpus', () => {
  test('cuts documents into sequences that each begin with BOS', async () => {
    const corpus = await corpusOf([[1, 2, 3, 4], [], [5], [6, 7, 8]]);
    const sequences = Array.from({ length: sequenceCount(corpus) }, (_, i) => [...sequence(corpus, i)]);
    expect(sequences).toEqual([
      [0, 1, 2, 3],
      [0, 4],
      [0, 5],
      [0, 6, 7, 8],
    ]);
    expect([...corpus.documents]).toEqual([0, 0, 1, 2]);
    expect(corpus.description).toBe('3 documents');
    expect([documentCount(corpus), tokenCount(corpus), tokenCount(corpus, [1, 3])]).toEqual([3, 12, 6]);
  });

  test('keeps every token, in order, whatever the context', async () => {
    const documents = fc.array(fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 20 }), {
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 2, max: 12 }), async (texts, context) => {
        const corpus = await corpusOf(texts, context);
        const kept = texts.filter((tokens) => tokens.length > 0).map((): number[] => []);
        for (let i = 0; i < sequenceCount(corpus); i++) {
          const [bos, ...rest] = sequence(corpus, i);
          expect(bos).toBe(0);
          expect(rest.length).toBeGreaterThan(0);
          expect(rest.length).toBeLessThan(context);
          kept[corpus.documents[i]].push(...rest);
        }
        expect(kept).toEqual(texts.filter((tokens) => tokens.length > 0));
      }),
    );
  });

  test('has a hash of the tokens and of how they are divided', async () => {
    const { sha256 } = await corpusOf([[1, 2], [3]]);
    expect((await corpusOf([[1, 2], [3]])).sha256).toBe(sha256);
    expect((await corpusOf([[1, 2], [4]])).sha256).not.toBe(sha256);
    expect((await corpusOf([[1], [2, 3]])).sha256).not.toBe(sha256);
    expect((await corpusOf([[1, 2, 3, 3]])).sha256).not.toBe((await corpusOf([[1, 2, 3], [3]])).sha256);
  });

  test('refuses a context without room for a token after BOS', async () => {
    await expect(corpusOf([[1]], 1)).rejects.toThrow(InputError);
  });
});

describe('splitByDocument', () => {
  test('puts every sequence in one part, and all of a document in the same', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 60 });
    const fraction = fc.double({ min: 0.01, max: 0.3, noNaN: true });
    await fc.assert(
      fc.asyncProperty(lengths, fraction, fraction, fc.nat(), async (sizes, validation, test, seed) => {
        const corpus = await corpusOf(sizes.map((size) => Array<number>(size).fill(1)));
        const split = splitByDocument(corpus, { validation, test }, seed);
        const parts = [split.train, split.validation, split.test];
        expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([
          ...corpus.documents.keys(),
        ]);
        const documents = parts.map((part) => new Set([...part].map((s) => corpus.documents[s])));
        expect(documents.reduce((sum, { size }) => sum + size, 0)).toBe(sizes.length);
        expect(documents.map(({ size }) => size).slice(1)).toEqual(
          [validation, test].map((f) => Math.max(1, Math.round(f * sizes.length))),
        );
        for (const part of parts) expect([...part]).toEqual([...part].sort((a, b) => a - b));
      }),
    );
  });

  test('depends on the seed and on nothing else', async () => {
    const corpus = await corpusOf(Array(50).fill([1, 2]));
    const fractions = { validation: 0.2, test: 0.2 };
    expect(splitByDocument(corpus, fractions, 1)).toEqual(splitByDocument(corpus, fractions, 1));
    expect(splitByDocument(corpus, fractions, 2)).not.toEqual(splitByDocument(corpus, fractions, 1));
  });

  test('refuses too few documents and fractions that leave a part empty', async () => {
    const two = await corpusOf([[1], [2]]);
    expect(() => splitByDocument(two, { validation: 0.1, test: 0.1 }, 0)).toThrow(
      '2 documents cannot be split',
    );
    const ten = await corpusOf(Array(10).fill([1]));
    expect(() => splitByDocument(ten, { validation: 0, test: 0.1 }, 0)).toThrow(InputError);
    expect(() => splitByDocument(ten, { validation: 0.5, test: 0.5 }, 0)).toThrow(InputError);
    expect(() => splitByDocument(ten, { validation: 0.5, test: 0.49 }, 0)).toThrow(
      '10 documents cannot be split',
    );
  });
});
