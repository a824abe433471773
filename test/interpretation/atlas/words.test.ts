/** What a word is, and that the index finds exactly the examples that hold it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetScan } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WordIndex, type WordRows } from '../../../src/interpretation/atlas/wordIndex.ts';
import { beginsWith, wordsOf } from '../../../src/interpretation/atlas/wordsOf.ts';
import { readWords, writeWords } from '../../../src/runs/atlas.ts';

const words = (text: string) => wordsOf(text).map(({ word }) => word);

describe('wordsOf', () => {
  it('takes letters with marks, digits and inner apostrophes together, and all else by itself', () => {
    expect(words(' Once upon a time, Tim’s DOG didn\'t eat 3,5 "plums"!?')).toEqual(
      ['once', 'upon', 'a', 'time', ',', 'tim’s', 'dog', "didn't", 'eat', '3', ',', '5'].concat([
        '"',
        'plums',
        '"',
        '!',
        '?',
      ]),
    );
    expect(words("'quoted' don''t")).toEqual(["'", 'quoted', "'", 'don', "'", "'", 't']);
    expect(words('é e\u0301 שלום 漢字 🐈🐈')).toEqual(['é', 'e\u0301', 'שלום', '漢字', '🐈', '🐈']);
  });

  it('finds nothing in spaces, controls and broken text', () => {
    for (const text of ['', ' \n\t\u00a0\u3000', '\u0000\u200b\u202e', '\ud800', '\udc00\ud800'])
      expect(wordsOf(text)).toEqual([]);
  });

  it('says where each stands, in order, and leaves no letter out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        let before = 0;
        for (const { word, start, end } of wordsOf(text)) {
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          expect(Array.from(text.slice(start, end).toLowerCase()).slice(0, 64).join('')).toBe(word);
          expect(text.slice(before, start)).not.toMatch(/[\p{L}\p{N}]/u);
          before = end;
        }
      }),
    );
  });

  it('keeps 64 characters of a word, none of them in half', () => {
    expect(words('x'.repeat(5000))).toEqual(['x'.repeat(64)]);
    expect(words('𝒳'.repeat(100))).toEqual(['𝒳'.repeat(64)]);
  });

  it('imports nothing, for pages use it', async () => {
    const source = await readFile('src/interpretation/atlas/wordsOf.ts', 'utf8');
    expect(source).not.toMatch(/^import|require\(/m);
  });
});

interface Example {
  latent: number;
  tokens: string[];
  activations: number[];
}

const token = fc.constantFrom(' a', ' cat', 'cat', 's', 'CAT', '.', '', ' ', "'", 'é', '🐈', ' do', "n't");
const example = fc
  .array(fc.tuple(token, fc.constantFrom(0, 0, 0.25, 0.5, 1, 2)), { maxLength: 8 })
  .map((pairs) => ({ tokens: pairs.map(([text]) => text), activations: pairs.map(([, value]) => value) }));
const examples = fc
  .array(fc.tuple(fc.nat(3), example), { maxLength: 20 })
  .map((all) => all.map(([latent, rest]) => ({ latent, ...rest })).sort((a, b) => a.latent - b.latent));

const GREATEST = 2;

/** Word by word and example by example. */
function slowly(all: readonly Example[]) {
  const found = new Map<string, { word: string; latent: number; strength: number; count: number }>();
  for (const { latent, tokens, activations } of all) {
    const starts = tokens.map((_, t) => tokens.slice(0, t).join('').length);
    const held = wordsOf(tokens.join(''));
    for (const word of new Set(held.map((one) => one.word))) {
      const key = `${word} ${latent}`;
      const row = found.get(key) ?? { word, latent, strength: 0, count: 0 };
      row.count++;
      for (const { start, end } of held.filter((one) => one.word === word))
        for (const [t, from] of starts.entries())
          if (Math.max(from, start) < Math.min(from + tokens[t].length, end))
            row.strength = Math.max(row.strength, activations[t] / GREATEST);
      found.set(key, row);
    }
  }
  return [...found.values()].sort((a, b) =>
    a.word < b.word ? -1 : a.word > b.word ? 1 : b.strength - a.strength || a.latent - b.latent,
  );
}

function indexed(all: readonly Example[]): WordIndex {
  const index = new WordIndex();
  for (const { latent, tokens, activations } of all) index.add(latent, tokens, activations, GREATEST);
  return index;
}

const rowsOf = (groups: Iterable<WordRows>) =>
  Array.from(groups).flatMap(({ word, latent, strength, count }) =>
    word.map((one, i) => ({ word: one, latent: latent[i], strength: strength[i], count: count[i] })),
  );

describe('the index of words', () => {
  it('has a row for each word that a latent’s examples hold, and no other, the strongest first', () => {
    fc.assert(
      fc.property(examples, (all) => {
        const index = indexed(all);
        expect(rowsOf(index.groups())).toEqual(slowly(all));
        expect(index.examples).toBe(all.length);
      }),
    );
  });

  it('finds by a word exactly the latents with examples that hold it', () => {
    fc.assert(
      fc.property(examples, fc.constantFrom('cat', 'cats', '.', "don't", '🐈', 'é', 'zebra'), (all, word) => {
        const holding = all.filter(({ tokens }) => words(tokens.join('')).includes(word));
        const rows = rowsOf(indexed(all).groups()).filter((row) => row.word === word);
        expect(new Set(rows.map(({ latent }) => latent))).toEqual(
          new Set(holding.map(({ latent }) => latent)),
        );
        for (const { latent, count } of rows)
          expect(count).toBe(holding.filter((one) => one.latent === latent).length);
      }),
    );
  });

  it('keeps strengths between 0 and 1 whatever the activations, and refuses latents out of order', () => {
    const index = new WordIndex();
    index.add(1, [' dog'], [-3], 2);
    index.add(2, [' dog'], [5], 2);
    index.add(3, [' dog'], [5], 0);
    index.add(4, [' dog'], [NaN], 2);
    expect(rowsOf(index.groups()).map(({ latent, strength }) => [latent, strength])).toEqual([
      [2, 1],
      [1, 0],
      [3, 0],
      [4, 0],
    ]);
    expect(() => index.add(0, [' dog'], [1], 1)).toThrow(RangeError);
  });
});

describe('words.parquet', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'monosem-words-'));
    const index = new WordIndex();
    for (let latent = 0; latent < 400; latent++) {
      const tokens = Array.from({ length: 200 }, (_, i) => ` w${(latent * 7 + i * i) % 1500}x`);
      index.add(latent, [...tokens, ' naïve', ' apple', ' apples'], new Float32Array(203).fill(1), 1);
    }
    await writeWords(directory, index.groups());
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('lets a reader fetch one or two row groups for a word or a prefix, by the statistics of the column', async () => {
    const file = await asyncBufferFromFile(join(directory, 'words.parquet'));
    const metadata = await parquetMetadataAsync(file);
    expect(metadata.row_groups.length).toBeGreaterThan(3);
    const all = (await readWords(directory))!;
    const queries: [string, { $eq: string } | { $in: string[] } | { $gte: string; $lt: string }][] = [
      ['apple', { $eq: 'apple' }],
      ['naïve', { $eq: 'naïve' }],
      ['w1234x', { $in: ['w1234x'] }],
      ['appl', beginsWith('appl')],
      ['w123', beginsWith('w123')],
    ];
    for (const [text, condition] of queries) {
      const filter = { word: condition };
      const scan = await parquetScan({ file, metadata, pruningFilter: filter });
      const read = scan.ranges.reduce((sum, { rowStart, rowEnd }) => sum + rowEnd - rowStart, 0);
      expect(read, text).toBeGreaterThan(0);
      expect(read, text).toBeLessThanOrEqual(2 * 16_384);
      const found = await parquetReadObjects({ file, metadata, filter });
      const prefix = '$gte' in condition;
      const expected = all.filter(({ word }) => (prefix ? word.startsWith(text) : word === text));
      expect(found.map(({ word, latent }) => [word, latent])).toEqual(
        expected.map(({ word, latent }) => [word, latent]),
      );
    }
  });
});
