/** What a search asks for, and which latents answer it first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery, ranked } from '../../../web/src/features/search.ts';

describe('a query', () => {
  it('is a latent where it is a number', () => {
    expect(parseQuery(' #12 ')).toEqual({ kind: 'latent', latent: 12 });
    expect(parseQuery('4607')).toEqual({ kind: 'latent', latent: 4607 });
    expect(parseQuery('12345678901').kind).toBe('words');
  });

  it('is all latents where it has no word', () => {
    expect(parseQuery('  \n')).toEqual({ kind: 'all' });
  });

  it('has words in lower case, the last of them perhaps still in the writing', () => {
    const words = (text: string) => {
      const query = parseQuery(text);
      return query.kind === 'words' ? query.words : [];
    };
    expect(words('Red bal')).toEqual([
      { from: 'red', to: 'red' },
      { from: 'bal', to: 'bal\uffff' },
    ]);
    expect(words('ball ')).toEqual([{ from: 'ball', to: 'ball' }]);
    expect(words('ba')).toEqual([{ from: 'ba', to: 'ba' }]);
    expect('balloon' >= 'bal' && 'balloon' <= 'bal\uffff').toBe(true);
  });

  it('never fails', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void parseQuery(text)),
      { numRuns: 50 },
    );
  });
});

describe('ranking', () => {
  it('gives the latents that have all words, the strongest first, equals by number', () => {
    const red = new Map([
      [1, 0.5],
      [2, 0.25],
      [3, 1],
      [9, 0.5],
    ]);
    const ball = new Map([
      [2, 1],
      [1, 0.25],
      [9, 0.25],
    ]);
    expect(ranked([red, ball])).toEqual([2, 1, 9]);
    expect(ranked([red])).toEqual([3, 1, 9, 2]);
    expect(ranked([red, new Map()])).toEqual([]);
  });

  it('does not depend on the order of the words', () => {
    const strengths = fc
      .dictionary(fc.nat({ max: 9 }).map(String), fc.integer({ min: 0, max: 4 }))
      .map(
        (found) =>
          new Map(
            Object.entries(found).map(([latent, quarters]): [number, number] => [
              Number(latent),
              quarters / 4,
            ]),
          ),
      );
    fc.assert(
      fc.property(fc.array(strengths, { minLength: 1, maxLength: 4 }), (found) => {
        const slow = [...found[0].keys()]
          .filter((latent) => found.every((one) => one.has(latent)))
          .map((latent) => ({ latent, sum: found.reduce((sum, one) => sum + one.get(latent)!, 0) }))
          .sort((a, b) => b.sum - a.sum || a.latent - b.latent);
        expect(ranked(found)).toEqual(slow.map(({ latent }) => latent));
        expect(ranked([...found].reverse())).toEqual(ranked(found));
      }),
    );
  });
});
