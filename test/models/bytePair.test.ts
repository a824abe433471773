import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergePairs } from '../../src/models/bytePair.ts';

/** The definition: look at all neighbours, join the best pair, begin again. */
function mergeSlowly(text: string, scoreOf: (piece: string) => number | undefined): string[] {
  const symbols = [...text];
  for (;;) {
    let best: number | undefined;
    let bestScore = -Infinity;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const score = scoreOf(symbols[i] + symbols[i + 1]);
      if (score !== undefined && score > bestScore) {
        best = i;
        bestScore = score;
      }
    }
    if (best === undefined) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}

function cut(text: string, ends: readonly number[]): string[] {
  return ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
}

test('joins the pairs that the definition joins', () => {
  const letters = fc.constantFrom('a', 'b', 'c', ' ', '😀');
  const word = (minLength: number, maxLength: number) =>
    fc.array(letters, { minLength, maxLength }).map((parts) => parts.join(''));
  const pieces = fc.dictionary(word(2, 5), fc.integer({ min: -4, max: 0 }), {
    maxKeys: 40,
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(word(0, 40), pieces, (text, scores) => {
      const scoreOf = (piece: string): number | undefined => scores[piece];
      expect(cut(text, mergePairs(text, scoreOf))).toEqual(mergeSlowly(text, scoreOf));
    }),
    { numRuns: 500 },
  );
});

test('the best score is joined first, and of equals the leftmost', () => {
  const scores: Record<string, number> = { ab: -1, bc: 0, aa: -1 };
  const merge = (text: string): string[] =>
    cut(
      text,
      mergePairs(text, (piece) => scores[piece]),
    );
  expect(merge('abc')).toEqual(['a', 'bc']);
  expect(merge('aaa')).toEqual(['aa', 'a']);
  expect(merge('')).toEqual([]);
});
