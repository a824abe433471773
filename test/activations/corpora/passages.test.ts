import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passages } from '../../../src/activations/corpora/passages.ts';

test('lines of a paragraph are joined, verse keeps its lines, blank lines part paragraphs', () => {
  const text = 'Once upon\r\na time.\r\n\r\n\r\n  Twinkle,\r\n  twinkle\r\n \r\nThe end.\r\n';
  expect(passages(text, 100)).toEqual(['Once upon a time.\n\nTwinkle,\ntwinkle\n\nThe end.']);
});

test('passages are as long as asked, and a short rest joins the last', () => {
  const paragraphs = (count: number): string => Array(count).fill('four words in it').join('\n\n');
  const lengths = (count: number): number[] =>
    passages(paragraphs(count), 10).map((p) => p.split(/\s+/).length);
  expect(lengths(6)).toEqual([12, 12]);
  expect(lengths(7)).toEqual([12, 16]);
  expect(lengths(8)).toEqual([12, 12, 8]);
  expect(lengths(1)).toEqual([4]);
  expect(lengths(0)).toEqual([]);
});

test('no word is lost or moved', () => {
  const word = fc.constantFrom('a', 'be', 'sea', '\n', '\n\n', '  ', '\r\n');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 80 }), fc.integer({ min: 1, max: 9 }), (words, size) => {
      const text = words.join(' ');
      const split = (s: string): string[] => s.split(/\s+/).filter((w) => w !== '');
      expect(passages(text, size).flatMap(split)).toEqual(split(text));
    }),
  );
});
