/**
 * Text to tokens and back. The tokenizer here is Llama's: SentencePiece byte-pair merging by scores, a space set
 * before each text, and bytes for what the vocabulary lacks. It must not know the files that vocabularies are in.
 */

import { InputError } from '../formats/errors.ts';
import { mergePairs } from './bytePair.ts';

export interface Tokenizer {
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** The token that begins a text. */
  readonly bos: number;
  /** The tokens of a text, BOS before them where asked for. */
  encode(text: string, options?: { bos?: boolean }): Int32Array;
  /** The text of tokens; BOS and its like have none. */
  decode(tokens: ArrayLike<number>): string;
  /** One token as shown to people: its own text, or a name such as `<0x0A>` or `<s>` where it has none to show. */
  text(token: number): string;
}

/** A piece of a SentencePiece vocabulary. */
export interface Piece {
  readonly text: string;
  readonly score: number;
}

const CONTROL = ['<unk>', '<s>', '</s>'];
const BOS = 1;
const TAB = 9;
const NEWLINE = 10;
const FIRST_BYTE = CONTROL.length;
const FIRST_PIECE = FIRST_BYTE + 256;
const SPACE = 32;

/**
 * The tokenizer of a vocabulary laid out as Llama's: `<unk>`, `<s>`, `</s>`, the 256 bytes, then `pieces`, in
 * which a space is a space. A lone surrogate is encoded as U+FFFD; any other text comes back as it was.
 * `name` stands in errors: InputError where a token is not in the vocabulary.
 */
export function createLlamaTokenizer(pieces: readonly Piece[], name: string): Tokenizer {
  const vocabulary = FIRST_PIECE + pieces.length;
  const tokenOf = new Map<string, number>();
  pieces.forEach(({ text }, i) => {
    if (!tokenOf.has(text)) tokenOf.set(text, FIRST_PIECE + i);
  });
  const scoreOf = (text: string): number | undefined => {
    const token = tokenOf.get(text);
    return token === undefined ? undefined : pieces[token - FIRST_PIECE].score;
  };
  const encoder = new TextEncoder();
  const bytesOf: Uint8Array[] = [
    ...CONTROL.map(() => new Uint8Array()),
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...pieces.map(({ text }) => encoder.encode(text)),
  ];
  const check = (token: number): void => {
    if (!Number.isInteger(token) || token < 0 || token >= vocabulary) {
      throw new InputError(`token ${token}: ${name} has the tokens 0 to ${vocabulary - 1}`);
    }
  };

  return {
    vocabulary,
    bos: BOS,

    encode(text, { bos = false } = {}) {
      const tokens = bos ? [BOS] : [];
      const spaced = text === '' ? '' : ` ${text}`;
      let start = 0;
      for (const end of mergePairs(spaced, scoreOf)) {
        const piece = spaced.slice(start, end);
        const token = tokenOf.get(piece);
        if (token !== undefined) tokens.push(token);
        else for (const byte of encoder.encode(piece)) tokens.push(FIRST_BYTE + byte);
        start = end;
      }
      return Int32Array.from(tokens);
    },

    decode(tokens) {
      const bytes: number[] = [];
      let isFirst = true;
      for (const token of Array.from(tokens)) {
        check(token);
        if (token < FIRST_BYTE) {
          isFirst ||= token === BOS;
          continue;
        }
        const own = bytesOf[token];
        // The space that encode set before the text.
        const skip = isFirst && own[0] === SPACE ? 1 : 0;
        for (let i = skip; i < own.length; i++) bytes.push(own[i]);
        isFirst = false;
      }
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    },

    text(token) {
      check(token);
      if (token < FIRST_BYTE) return CONTROL[token];
      if (token >= FIRST_PIECE) return pieces[token - FIRST_PIECE].text;
      const byte = token - FIRST_BYTE;
      const hasText = (byte >= SPACE && byte < 127) || byte === NEWLINE || byte === TAB;
      return hasText ? String.fromCharCode(byte) : `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    },
  };
}
