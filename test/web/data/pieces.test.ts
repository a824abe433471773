/** Windows of tokens as pieces: nothing is lost, nothing goes unseen. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../../web/src/data/pieces.ts';
import { ticksOf } from '../../../web/src/data/ticks.ts';

describe('pieces of a window', () => {
  it('are one for each token that is marked, and what stands between', () => {
    const window = { tokens: ['a', ' b', ' c', '.', '\n'], activations: [0, 0, 4, -1, 0] };
    expect(piecesOf(window, 0, 5, 4).map(({ text, level, negative }) => [text, level, negative])).toEqual([
      ['a b', 0, false],
      [' c', 8, false],
      ['.', 2, true],
      ['↵', 0, false],
    ]);
  });

  it('hold every token of the range in its order, marked where it fires', () => {
    const token = fc.stringMatching(/^[a-z]{1,6}$/);
    const activation = fc.oneof(fc.constant(0), fc.double({ min: -2, max: 2, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(token, activation), { minLength: 1 }), (pairs) => {
        const window = { tokens: pairs.map(([text]) => text), activations: pairs.map(([, value]) => value) };
        const pieces = piecesOf(window, 0, pairs.length, 2);
        expect(pieces.map(({ text }) => text).join('')).toBe(window.tokens.join(''));
        expect(pieces.filter(({ level }) => level > 0)).toHaveLength(
          pairs.filter(([, value]) => value !== 0).length,
        );
      }),
    );
  });

  it('show blanks, controls and marks of direction, and clip what is too long', () => {
    const tokens = ['a\u0000b', '\u202ec', '    d', 'x'.repeat(1_000_000), ''];
    const plain = piecesOf({ tokens, activations: [0, 0, 0, 0, 0] }, 0, 5, 1);
    const text = plain.map((piece) => piece.text).join('');
    expect(text).toMatch(/^a␀b⟨U\+202E⟩c····dx+…$/);
    expect(text.length).toBeLessThan(100);
    expect(plain.filter(({ blank }) => blank).map((piece) => piece.text)).toEqual(['····']);
    const marked = piecesOf({ tokens, activations: [1, 1, 1, 1, 1] }, 0, 5, 1);
    expect(marked.map((piece) => piece.text).at(-1)).toBe('∅');
  });
});

describe('ticks', () => {
  it('are round, within the axis, and tell themselves apart', () => {
    expect(ticksOf(0.00018, 0.00023).map(({ text }) => text)).toEqual(['0.00018', '0.00020', '0.00022']);
    expect(ticksOf(-1, 4).map(({ text }) => text)).toEqual(['0', '2', '4']);
    expect(ticksOf(1, 1)).toEqual([]);
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (from, width) => {
          fc.pre(width > Math.abs(from) * 1e-6);
          const ticks = ticksOf(from, from + width);
          expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
          for (const { at } of ticks) {
            expect(at).toBeGreaterThanOrEqual(from - width * 1e-9);
            expect(at).toBeLessThanOrEqual(from + width * (1 + 1e-9));
          }
        },
      ),
    );
  });
});
