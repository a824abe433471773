/**
 * Seeded random streams. A stream is named by a seed and labels, and two streams of different names are
 * independent, so that each use can have its own and none depends on how much another drew. It must not know
 * what is drawn for.
 *
 * The generator is xoshiro128** 1.1: Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * ACM TOMS 47, 2021, https://prng.di.unimi.it/xoshiro128starstar.c. Period 2^128 - 1.
 */

import { sha256Words } from './sha256.ts';

/** Steps the state (4 words, not all 0) and returns 32 random bits. The algorithm as published. */
export function xoshiro128StarStar(state: Int32Array): number {
  const [s0, s1, s2, s3] = [state[0], state[1], state[2], state[3]];
  const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9);
  const t2 = s2 ^ s0;
  const t3 = s3 ^ s1;
  state[1] = s1 ^ t2;
  state[0] = s0 ^ t3;
  state[2] = t2 ^ (s1 << 9);
  state[3] = rotateLeft(t3, 11);
  return result >>> 0;
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** The state in which the stream named `(seed, ...labels)` begins: the first 128 bits of the name's SHA-256, 4 words. */
export function streamState(seed: number, ...labels: string[]): Int32Array {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a whole number, not ${seed}`);
  const digest = new DataView(new ArrayBuffer(32));
  sha256Words(new TextEncoder().encode(JSON.stringify([seed, ...labels]))).forEach((word, i) => {
    digest.setUint32(4 * i, word);
  });
  return Int32Array.from({ length: 4 }, (_, i) => digest.getInt32(4 * i, true));
}

/** Words that `fillNormal` draws at a time, a multiple of the four of a try. */
const WORDS = 1024;

/** In [0, 1), of 53 of 64 random bits. */
function uniformOf(first: number, second: number): number {
  return ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
}

export class Random {
  readonly #state: Int32Array;
  /** The polar method makes normals in pairs; the second one waits here. */
  #spare: number | undefined;

  /** The stream named `(seed, ...labels)`, or the one whose `streamState` is given. */
  constructor(seed: number | Int32Array, ...labels: string[]) {
    this.#state = typeof seed === 'number' ? streamState(seed, ...labels) : seed.slice(0, 4);
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    return xoshiro128StarStar(this.#state);
  }

  /** Fills `words` with 32 random bits each: the draws of `uint32`, at a fraction of its time. */
  fillBits(words: Int32Array): void {
    let [s0, s1, s2, s3] = this.#state;
    for (let i = 0; i < words.length; i++) {
      words[i] = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9);
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = rotateLeft(s3, 11);
    }
    this.#state.set([s0, s1, s2, s3]);
  }

  /** In [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return uniformOf(this.uint32(), this.uint32());
  }

  /** In [0, 1), a multiple of 2^-24: rounding it to float32 changes nothing, so it stays below 1. */
  uniformFloat32(): number {
    return (this.uint32() >>> 8) * 2 ** -24;
  }

  /** A whole number in [0, n), each equally likely: draws from the uneven rest of [0, 2^32) are thrown away. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new RangeError(`below(${n}): expected 1 to 2^32`);
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const draw = this.uint32();
      if (draw < limit) return draw % n;
    }
  }

  /** Standard normal, by the polar method: Marsaglia and Bray, SIAM Review 6, 1964. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.#spare = y * factor;
        return x * factor;
      }
    }
  }

  /**
   * Fills `array` with independent normals of mean 0 and standard deviation `sd`: `sd` times the draws of `normal`, at a fraction of
   * its time, since bits are drawn many at once.
   */
  fillNormal(array: Float32Array | Float64Array, sd: number): void {
    let i = 0;
    if (this.#spare !== undefined && array.length > 0) array[i++] = sd * this.normal();
    const words = new Int32Array(WORDS);
    const before = this.#state.slice();
    let used = words.length;
    while (i < array.length) {
      if (used === words.length) {
        before.set(this.#state);
        this.fillBits(words);
        used = 0;
      }
      const x = 2 * uniformOf(words[used], words[used + 1]) - 1;
      const y = 2 * uniformOf(words[used + 2], words[used + 3]) - 1;
      used += 4;
      const square = x * x + y * y;
      if (!(square > 0 && square < 1)) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      array[i++] = sd * (x * factor);
      if (i < array.length) array[i++] = sd * (y * factor);
      else this.#spare = y * factor;
    }
    // The words that are left over are drawn again by whoever comes next.
    if (used === words.length) return;
    this.#state.set(before);
    this.fillBits(words.subarray(0, used));
  }

  /** The numbers 0 .. n - 1 in random order, each order equally likely. */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    this.shuffle(order);
    return order;
  }

  /** Shuffles in place: Fisher and Yates, as Durstenfeld (CACM 7, 1964) has it. */
  shuffle(array: unknown[] | Uint32Array | Int32Array | Uint16Array | Float32Array | Float64Array): void {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = array[i];
      array[i] = array[j];
      array[j] = kept;
    }
  }
}
