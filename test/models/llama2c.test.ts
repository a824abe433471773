import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { readLlama2cModel, readLlama2cTokenizer } from '../../src/models/llama2c.ts';
import type { TransformerWeights } from '../../src/models/transformer.ts';
import { randomWeights, tinyConfig } from './helpers.ts';

/** `model.bin` as llama2.c's `legacy_export` writes it. */
function modelFile(weights: TransformerWeights = randomWeights()): Uint8Array {
  const { width, mlpWidth, layers, heads, vocabulary, context, headWidth } = tinyConfig;
  const V = weights.unembedding ? -vocabulary : vocabulary;
  const header = Int32Array.of(width, mlpWidth, layers, heads, heads, V, context);
  const fields = ['normAttention', 'q', 'k', 'v', 'o', 'normMlp', 'gate', 'down', 'up'] as const;
  const arrays = [
    weights.embedding,
    ...fields.flatMap((field) => weights.blocks.map((block) => block[field])),
    weights.normFinal,
    new Float32Array(context * headWidth),
    ...(weights.unembedding ? [weights.unembedding] : []),
  ];
  return Buffer.concat(
    [header, ...arrays].map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
  );
}

function tokenizerFile(tokens: readonly { score: number; text: string | Uint8Array }[]): Uint8Array {
  const parts = tokens.map(({ score, text }) => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(8);
    head.writeFloatLE(score, 0);
    head.writeInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([Buffer.alloc(4), ...parts]);
}

/** The control tokens and bytes, whose text does not count, then some pieces. */
const tokens = [
  ...Array.from({ length: 259 }, () => ({ score: 0, text: 'a' })),
  ...['a', 'b', 'ab', ' ', ' ab'].map((text, i) => ({ score: -i, text })),
];

describe('model.bin', () => {
  test('gives the sizes and every weight', () => {
    const { config, weights } = readLlama2cModel(modelFile(), 'tiny');
    expect(config).toEqual(tinyConfig);
    expect(weights).toEqual({ ...randomWeights(), unembedding: undefined });
  });

  test('has an unembedding of its own where the vocabulary is negative', () => {
    const tied = randomWeights();
    const untied = { ...tied, unembedding: tied.embedding.map((value) => 2 * value) };
    const { config, weights } = readLlama2cModel(modelFile(untied), 'tiny');
    expect(config.vocabulary).toBe(tinyConfig.vocabulary);
    expect(weights).toEqual(untied);
  });

  test('is read from any place in memory', () => {
    const file = modelFile();
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    expect(readLlama2cModel(shifted, 'tiny')).toEqual(readLlama2cModel(file, 'tiny'));
  });

  test('is refused where it was cut short or went on', () => {
    const file = modelFile();
    for (const size of [0, 27, 28, 1000, file.length - 4, file.length - 1]) {
      const read = (): unknown => readLlama2cModel(file.subarray(0, size), 'tiny');
      expect(read).toThrow(InputError);
      expect(read).toThrow(new RegExp(`tiny.*found ${size} bytes, expected`));
    }
    expect(() => readLlama2cModel(Buffer.concat([file, Buffer.alloc(4)]), 'tiny')).toThrow(
      /expected \d+ by its header/,
    );
  });

  test('is refused where a weight is not finite', () => {
    for (const value of [NaN, Infinity]) {
      const weights = randomWeights();
      weights.blocks[1].gate[5] = value;
      expect(() => readLlama2cModel(modelFile(weights), 'tiny')).toThrow(
        `gate of layer 1 holds ${value} at 5`,
      );
    }
  });

  test('is refused where query heads share key heads', () => {
    const file = modelFile();
    new DataView(file.buffer, file.byteOffset).setInt32(16, 1, true);
    expect(() => readLlama2cModel(file, 'tiny')).toThrow(/1 key heads for 2 query heads/);
  });

  test('no header makes it do anything but read or refuse', () => {
    const size = fc.oneof(fc.integer(), fc.integer({ min: -2, max: 20 }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 7, maxLength: 7 }), (header) => {
        const file = modelFile();
        const view = new DataView(file.buffer, file.byteOffset);
        header.forEach((value, i) => {
          view.setInt32(4 * i, value, true);
        });
        try {
          readLlama2cModel(file, 'hostile');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });
});

describe('tokenizer.bin', () => {
  test('gives pieces with their scores', () => {
    const tokenizer = readLlama2cTokenizer(tokenizerFile(tokens), 'tiny', tokens.length);
    expect(tokenizer.vocabulary).toBe(264);
    // " ab" is a piece, but "ab" is joined before it can be, and then it is.
    expect([...tokenizer.encode('ab')]).toEqual([263]);
    expect([...tokenizer.encode('ba')]).toEqual([262, 260, 259]);
  });

  test('is refused where it was cut short or went on', () => {
    const file = tokenizerFile(tokens);
    for (const size of [0, 3, 11, file.length - 1]) {
      const read = (): unknown => readLlama2cTokenizer(file.subarray(0, size), 'tiny', tokens.length);
      expect(read).toThrow(InputError);
      expect(read).toThrow(/tokenizer of tiny.*ends at token \d+; expected 264 tokens/);
    }
    expect(() => readLlama2cTokenizer(file, 'tiny', 263)).toThrow(/263 tokens end at/);
  });

  test('is refused where a piece has a senseless length or is not UTF-8', () => {
    for (const length of [-1, 0, 2 ** 31 - 1]) {
      const file = tokenizerFile(tokens);
      new DataView(file.buffer, file.byteOffset).setInt32(8, length, true);
      expect(() => readLlama2cTokenizer(file, 'tiny', tokens.length)).toThrow(InputError);
    }
    const broken = [...tokens, { score: 0, text: Uint8Array.of(0xff) }];
    expect(() => readLlama2cTokenizer(tokenizerFile(broken), 'tiny', 265)).toThrow(/token 264 is not UTF-8/);
  });
});
