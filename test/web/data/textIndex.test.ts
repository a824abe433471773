/** Words in a column of texts, against a look at all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextIndex } from '../../../web/src/data/textIndex.ts';

describe('an index of texts', () => {
  it('finds words in lists of tokens whatever their case and spaces, and those that begin alike', () => {
    const index = new TextIndex([[' Ball', 'ed'], [], ['BALLOON!', ' ball'], ['a ball']]);
    const rows = (from: string, to: string) => [...new Set(index.rowsHolding(from, to))].sort();
    expect(rows('ball', 'ball')).toEqual([0, 2, 3]);
    expect(rows('ballo', 'ballo\uffff')).toEqual([2]);
    expect(rows('!', '!')).toEqual([2]);
    expect(rows('constructor', 'constructor')).toEqual([]);
  });

  it('finds what a look at every row finds', () => {
    const word = fc.constantFrom('a', 'ab', 'abc', 'b', 'ba');
    fc.assert(
      fc.property(fc.array(fc.array(word)), word, word, (column, one, other) => {
        const [from, to] = [one, other].sort();
        const slow = column.flatMap((texts, row) =>
          texts.some((text) => text >= from && text <= to) ? [row] : [],
        );
        expect([...new Set(new TextIndex(column).rowsHolding(from, to))].sort((a, b) => a - b)).toEqual(slow);
      }),
    );
  });

  it('passes over what is no text', () => {
    expect(new TextIndex([null, 3, [Number.NaN, 'x']]).rowsHolding('x', 'x')).toEqual([2]);
  });
});
