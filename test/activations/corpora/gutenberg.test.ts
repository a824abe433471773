import { expect, test } from 'vitest';
import { gutenbergCorpus } from '../../../src/activations/corpora/gutenberg.ts';
import { documentCount, sequence, tokenCount } from '../../../src/activations/corpus.ts';
import { letters } from '../helpers.ts';

test('the four books are some 250 passages by people, unwrapped, without the line of the title', async () => {
  const corpus = await gutenbergCorpus({ tokenizer: letters, context: 256 });
  expect([corpus.name, corpus.modelGenerated]).toEqual(['gutenberg-children', false]);
  // 254,371 words in all.
  expect(documentCount(corpus)).toBeGreaterThan(200);
  expect(documentCount(corpus)).toBeLessThan(260);
  expect(tokenCount(corpus)).toBeGreaterThan(1_350_000);
  const opening = letters.decode(sequence(corpus, 0).subarray(1));
  expect(opening).toMatch(/^TWO LITTLE RIDDLES IN RHYME\n\nThere's a garden that I ken,\nFull of/);
});
