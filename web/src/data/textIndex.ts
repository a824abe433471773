/** Which rows of a column of texts, or of lists of texts, hold a word. It must not know what the texts are about. */
import { wordsOf } from '../../../src/interpretation/atlas/wordsOf.ts';

export class TextIndex {
  readonly #rows = new Map<string, number[]>();

  /** What is no text is passed over: a reader of the column itself is told of it. */
  constructor(column: readonly unknown[]) {
    // The same few texts come over and over: each is taken apart once.
    const known = new Map<string, number[][]>();
    for (const [row, value] of column.entries())
      for (const text of Array.isArray(value) ? value : [value]) {
        if (typeof text !== 'string') continue;
        const lists = known.get(text) ?? wordsOf(text).map(({ word }) => this.#listOf(word));
        known.set(text, lists);
        for (const list of lists) if (list.at(-1) !== row) list.push(row);
      }
  }

  /** Rows with a word from `from` to `to` in the order of code units, some of them more than once. */
  rowsHolding(from: string, to: string): number[] {
    if (from === to) return this.#rows.get(from) ?? [];
    return [...this.#rows].flatMap(([word, rows]) => (word >= from && word <= to ? rows : []));
  }

  #listOf(word: string): number[] {
    const known = this.#rows.get(word) ?? [];
    this.#rows.set(word, known);
    return known;
  }
}
