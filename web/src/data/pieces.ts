/** A window of tokens as pieces of text: those that are marked, and what stands between them. It must not know of markup. */
import { visible } from '../../../src/report/html.ts';
import { clipped, shade } from '../../../src/report/tokenText.ts';

export interface Piece {
  readonly text: string;
  /** 0 where nothing is marked, else 1 to SHADES. */
  readonly level: number;
  /** Below zero, as projections can be. */
  readonly negative: boolean;
  readonly activation: number;
  /** Line breaks, tabs and runs of spaces, which are shown but should not catch the eye. */
  readonly blank: boolean;
}

/** Blank characters that would be swallowed or go unseen. */
const BLANKS = /(\n|\t| {2,})/;

/** The pieces of tokens `from` to `to`, shaded by their magnitude beside `strongest`. */
export function piecesOf(
  { tokens, activations }: { tokens: readonly string[]; activations: readonly number[] },
  from: number,
  to: number,
  strongest: number,
): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  const flush = () => {
    for (const part of plain.split(BLANKS))
      if (part !== '')
        pieces.push({
          text: seen(part),
          level: 0,
          negative: false,
          activation: 0,
          blank: BLANKS.test(part),
        });
    plain = '';
  };
  for (let i = from; i < to; i++) {
    const activation = activations[i];
    const level = shade(Math.abs(activation), strongest);
    if (level === 0) plain += clipped(tokens[i]);
    else {
      flush();
      const text = seen(clipped(tokens[i]));
      pieces.push({ text, level, negative: activation < 0, activation, blank: false });
    }
  }
  flush();
  return pieces;
}

/** The text with nothing in it unseen: runs of spaces as dots, an empty token as `∅`. */
function seen(text: string): string {
  return visible(text).replace(/ {2,}/g, (spaces) => '·'.repeat(spaces.length)) || '∅';
}
