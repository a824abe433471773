/**
 * The bytes of a pickle, taken one after another: numbers, texts and lengths, none of which reaches beyond the end. It
 * must not know what the opcodes between them mean.
 */

import { InputError } from './errors.ts';

/** No Python name is as long. */
const MAX_NAME = 1000;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at: number;

  /** `where` stands for the file in errors. */
  constructor(bytes: Uint8Array, start: number, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#where = where;
  }

  /** The place of the next byte. */
  get position(): number {
    return this.#at;
  }

  take(length: number): Uint8Array {
    const left = this.#bytes.length - this.#at;
    if (length > left) {
      return this.refuse(
        `${length} bytes are announced, but ${left} are left. The file is truncated or damaged`,
      );
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A little-endian number without a sign. Those of 8 bytes are lengths: beyond 2^53 they are too long anyway. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.#at;
    this.take(size);
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    return size === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  signed4(): number {
    return this.unsigned(4) | 0;
  }

  /** A big-endian double, as pickles have it. */
  float(): number {
    const at = this.#at;
    this.take(8);
    return this.#view.getFloat64(at, false);
  }

  /** An integer in little-endian two's complement. Python's have no end, those of arrays have 64 bits. */
  integer(length: number): number | bigint {
    if (length > 8) return this.refuse(`an integer of ${length} bytes is announced, the limit is 8`);
    let value = 0n;
    for (const byte of this.take(length).toReversed()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.refuse('a string is not UTF-8');
    }
  }

  /** What stands before the next line feed. */
  line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + MAX_NAME).indexOf(0x0a);
    if (end < 0) return this.refuse('a name does not end');
    return this.text(end + 1).slice(0, -1);
  }

  refuse(problem: string): never {
    throw new InputError(`${this.#where}: ${problem}`);
  }
}
