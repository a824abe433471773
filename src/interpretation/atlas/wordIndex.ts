/**
 * Which latents' examples hold a word, and how strongly each fires on it. Memory is `16 bytes x (word, latent) pairs`, no more of
 * which than tokens in the examples, and the distinct words; examples pass by. It must not know where examples are kept.
 */
import { wordsOf } from './wordsOf.ts';

/** Rows that are given at a time: a row group, of which a search reads one or two. */
const GROUP_ROWS = 16_384;
/** Strengths are kept as float32, whose order for numbers >= 0 is that of their bits. */
const BITS_OF_ONE = 0x3f800000;
/** Of pairs of one word, for sorting: more than there are latents. */
const MOST_PLACES = 2 ** 23;

export interface WordRows {
  readonly word: string[];
  readonly latent: Int32Array;
  readonly strength: Float32Array;
  readonly count: Int32Array;
}

export class WordIndex {
  readonly #words = new Map<string, number>();
  #latent = -1;
  #examples = 0;
  #pairs = 0;
  /** Of each pair: word, latent, strength, count. */
  #word = new Int32Array(1024);
  #latents = new Int32Array(1024);
  #strength = new Float32Array(1024);
  #count = new Int32Array(1024);
  /** Of each word, the last pair with it, -1 at first; and the last example that it was met in. */
  readonly #last: number[] = [];
  readonly #met: number[] = [];

  /**
   * Adds an example of `latent`, which is no less than those before. `greatest` is the latent's greatest activation. RangeError
   * where a latent comes after a higher one.
   */
  add(latent: number, tokens: readonly string[], activations: ArrayLike<number>, greatest: number): void {
    if (latent < this.#latent) throw new RangeError(`latent ${latent} comes after ${this.#latent}`);
    this.#latent = latent;
    const example = this.#examples++;
    // The first token that ends after the word begins; both go forward.
    let [token, end] = [0, tokens[0]?.length ?? 0];
    for (const { word, start, end: wordEnd } of wordsOf(tokens.join(''))) {
      while (end <= start) end += tokens[++token].length;
      let strongest = activations[token];
      for (let [t, to] = [token + 1, end]; to < wordEnd; to += tokens[t++].length)
        if (tokens[t].length > 0) strongest = Math.max(strongest, activations[t]);
      const pair = this.#pairOf(word, latent);
      const strength = greatest > 0 ? Math.max(0, Math.min(1, strongest / greatest)) : 0;
      if (strength > this.#strength[pair]) this.#strength[pair] = strength;
      const id = this.#word[pair];
      if (this.#met[id] !== example) this.#count[pair]++;
      this.#met[id] = example;
    }
  }

  get examples(): number {
    return this.#examples;
  }

  get pairs(): number {
    return this.#pairs;
  }

  /** All pairs by word, in the order of code units, then the strongest first, then by latent. */
  *groups(): Generator<WordRows> {
    const words = [...this.#words.keys()].sort();
    const { starts, order } = this.#byWord();
    let left = this.#pairs;
    let [group, at] = [emptyRows(Math.min(GROUP_ROWS, left)), 0];
    for (const word of words) {
      const id = this.#words.get(word)!;
      const pairs = order.subarray(starts[id], starts[id + 1]);
      for (const place of this.#strongestFirst(pairs)) {
        const pair = pairs[place];
        group.word[at] = word;
        group.latent[at] = this.#latents[pair];
        group.strength[at] = this.#strength[pair];
        group.count[at++] = this.#count[pair];
        if (at < group.latent.length) continue;
        yield group;
        left -= at;
        [group, at] = [emptyRows(Math.min(GROUP_ROWS, left)), 0];
      }
    }
  }

  #pairOf(word: string, latent: number): number {
    let id = this.#words.get(word);
    if (id === undefined) {
      id = this.#words.size;
      this.#words.set(word, id);
      this.#last.push(-1);
      this.#met.push(-1);
    }
    const known = this.#last[id];
    if (known >= 0 && this.#latents[known] === latent) return known;
    if (this.#pairs === this.#word.length) this.#grow();
    const pair = this.#pairs++;
    this.#word[pair] = id;
    this.#latents[pair] = latent;
    this.#last[id] = pair;
    return pair;
  }

  #grow(): void {
    const room = Math.ceil(this.#pairs * 1.5);
    const larger = <T extends Int32Array | Float32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.#word = larger(this.#word, new Int32Array(room));
    this.#latents = larger(this.#latents, new Int32Array(room));
    this.#strength = larger(this.#strength, new Float32Array(room));
    this.#count = larger(this.#count, new Int32Array(room));
  }

  /** The pairs of word i are `order[starts[i] .. starts[i + 1]]`, by latent. */
  #byWord(): { starts: Uint32Array; order: Uint32Array } {
    const starts = new Uint32Array(this.#words.size + 1);
    for (let pair = 0; pair < this.#pairs; pair++) starts[this.#word[pair] + 1]++;
    for (let id = 0; id < this.#words.size; id++) starts[id + 1] += starts[id];
    const next = starts.slice();
    const order = new Uint32Array(this.#pairs);
    for (let pair = 0; pair < this.#pairs; pair++) order[next[this.#word[pair]]++] = pair;
    return { starts, order };
  }

  /** Places among `pairs`: strength and place in one number, which a typed array sorts quickly. */
  #strongestFirst(pairs: Uint32Array): Iterable<number> {
    const bits = new Uint32Array(this.#strength.buffer);
    const keys = Float64Array.from(pairs, (pair, i) => (BITS_OF_ONE - bits[pair]) * MOST_PLACES + i);
    return keys.sort().map((key) => key % MOST_PLACES);
  }
}

function emptyRows(rows: number): WordRows {
  return {
    word: new Array<string>(rows),
    latent: new Int32Array(rows),
    strength: new Float32Array(rows),
    count: new Int32Array(rows),
  };
}
