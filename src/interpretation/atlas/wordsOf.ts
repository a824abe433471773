/**
 * What counts as a word, where examples are indexed and where they are searched. Nothing is imported: a page uses it too. It
 * must not know where the text is from.
 */

/** Letters, marks and digits, with apostrophes between them; or any other single character that is no space or control. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|[^\s\p{C}\p{Z}]/gu;
/** Characters of a word that are kept. */
const LONGEST = 64;

/** A word and where it stands in the text, in UTF-16 code units. */
export interface Word {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The words of `text`, in order, in lower case: runs of letters, marks and digits, in which an apostrophe may stand (`don't`),
 * and every other character by itself (`!`, `,`), but for spaces and control characters, which are in no word. Of longer words
 * the first 64 characters count.
 */
export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(WORD), ({ 0: found, index }) => ({
    word: shortened(found.toLowerCase()),
    start: index,
    end: index + found.length,
  }));
}

/**
 * The condition on the column `word` of words.parquet, as hyparquet's `filter` and `pruningFilter` have it, that words which begin
 * with `prefix` (lower case, not empty) fulfil. Row groups are passed over only where `prefix` is ASCII.
 */
export function beginsWith(prefix: string): { $gte: string; $lt: string } {
  const last = prefix.length - 1;
  return { $gte: prefix, $lt: prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1) };
}

function shortened(word: string): string {
  return word.length > LONGEST ? Array.from(word).slice(0, LONGEST).join('') : word;
}
