/** Reading, effects and steered text on a tiny model, against plain forward passes with hooks. */
import { describe, expect, test } from 'vitest';
import { type Dictionary, decode, decodeChange, encode } from '../../src/dictionaries/dictionary.ts';
import type { Normalisation } from '../../src/dictionaries/normalisation.ts';
import { continuePrompt } from '../../src/interpretation/continuation.ts';
import { editEffect, NULL_DRAWS } from '../../src/interpretation/editEffect.ts';
import type { LatentEdit } from '../../src/interpretation/latentEdits.ts';
import { largest, probabilities } from '../../src/interpretation/nextTokens.ts';
import { readPrompt } from '../../src/interpretation/promptReading.ts';
import { movesOf, randomMoves, type Steered } from '../../src/interpretation/steering.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { sampleTokens } from '../../src/models/sampling.ts';
import type { Tokenizer } from '../../src/models/tokenizer.ts';
import { createTransformer } from '../../src/models/transformer.ts';
import { tiedDictionary } from '../evaluation/dictionaries.ts';
import { randomWeights, tinyConfig } from '../models/helpers.ts';

const { width, vocabulary, bos, context } = tinyConfig;
const LATENTS = 12;
const FINAL = 'ln_final.hook_normalized';
const backend = createReferenceBackend();
// With an unembedding of its own: with the embedding again, it would repeat one token for ever.
const model = createTransformer(backend, tinyConfig, {
  ...randomWeights(),
  unembedding: randomWeights(tinyConfig, 9).embedding,
});

/** A letter a token: `a` is token 2. */
const tokenizer: Tokenizer = {
  vocabulary,
  bos,
  encode: (text, { bos: withBos = false } = {}) =>
    Int32Array.from([...(withBos ? [bos] : []), ...[...text].map((letter) => letter.charCodeAt(0) - 95)]),
  decode: (tokens) => Array.from(tokens, (token) => (token === bos ? '' : tokenizer.text(token))).join(''),
  text: (token) => (token === bos ? '<s>' : String.fromCharCode(token + 95)),
};

function normals(size: number, label: string): Float32Array {
  const values = new Float32Array(size);
  new Random(0, label).fillNormal(values, 1);
  return values;
}

const dictionary: Dictionary = {
  ...tiedDictionary(normals(LATENTS * width, 'encoder'), width, { kind: 'topk', k: 3 }),
  decoderWeight: normals(LATENTS * width, 'decoder'),
  decoderBias: normals(width, 'bias'),
};

const at = (input: string, output = input): Steered => ({
  model,
  tokenizer,
  dictionary,
  mean: normals(width, 'mean'),
  input,
  output,
  seed: 0,
});
const RESIDUAL = at('blocks.1.hook_resid_post');
const PLACES: [string, Steered][] = [
  ['between blocks', RESIDUAL],
  ['before the first block', at('blocks.0.hook_resid_pre')],
  ['inside a block', at('blocks.1.hook_mlp_out')],
  ['in the middle of a block', at('blocks.1.hook_resid_mid')],
  ['a transcoder', at('blocks.1.ln2.hook_normalized', 'blocks.1.hook_mlp_out')],
  ['a transcoder over blocks', at('blocks.0.hook_resid_mid', 'blocks.2.hook_mlp_out')],
];
const text = 'acbed';

/** The latents' activations at each token after BOS. */
async function codesOf({ input }: Steered, of = text) {
  const tokens = tokenizer.encode(of, { bos: true });
  const run = await model.run(tokens, { batch: 1, length: tokens.length, capture: [input] });
  return encode(backend, dictionary, run.get(input)!.subarray(width), tokens.length - 1);
}

/** Probabilities after the last token where `amount(position)` of a decoder row is added at the output, by hand. */
async function withAdded(
  { output }: Steered,
  tokens: Int32Array,
  latent: number,
  amount: (position: number) => number,
): Promise<Float64Array> {
  const length = tokens.length;
  const result = await model.run(tokens, {
    batch: 1,
    length,
    capture: [FINAL],
    edit: {
      [output]: (activation) => {
        for (let t = 1; t < length; t++)
          for (let c = 0; c < width; c++)
            activation[t * width + c] += amount(t) * dictionary.decoderWeight[latent * width + c];
      },
    },
  });
  return probabilities(await model.logits(result.get(FINAL)!.subarray((length - 1) * width), 1));
}

describe.each(PLACES)('an effect %s', (_name, steered) => {
  test('of adding is that of the decoder row, added by a hook', async () => {
    const edits: LatentEdit[] = [{ latent: 4, kind: 'add', value: 1.5 }];
    const { tokens, kl } = await editEffect(steered, text, edits);
    const ids = tokenizer.encode(text, { bos: true });
    const [before, after] = [
      await withAdded(steered, ids, 4, () => 0),
      await withAdded(steered, ids, 4, () => 1.5),
    ];
    expect(tokens).toHaveLength(vocabulary);
    for (const token of tokens) {
      expect(token.before).toBeCloseTo(before[token.id], 6);
      expect(token.after).toBeCloseTo(after[token.id], 6);
    }
    const expected = before.reduce((sum, p, i) => sum + p * Math.log(p / after[i]), 0);
    expect(expected).toBeGreaterThan(1e-3);
    expect(kl).toBeCloseTo(expected, 5);
  });

  test('of ablating is that of taking the latent away where it fires, and scaling by 0 is the same', async () => {
    const codes = await codesOf(steered);
    const [latent] = codes.indices;
    const activation = (position: number) => {
      for (let e = codes.offsets[position - 1]; e < codes.offsets[position]; e++)
        if (codes.indices[e] === latent) return codes.values[e];
      return 0;
    };
    const effect = await editEffect(steered, text, [{ latent, kind: 'ablate' }]);
    const ids = tokenizer.encode(text, { bos: true });
    const after = await withAdded(steered, ids, latent, (t) => -activation(t));
    for (const token of effect.tokens) expect(token.after).toBeCloseTo(after[token.id], 6);
    expect(effect.kl).toBeGreaterThan(0);
    expect(await editEffect(steered, text, [{ latent, kind: 'scale', value: 0 }])).toEqual(effect);
    expect(effect.null.draws).toHaveLength(NULL_DRAWS);
    expect(effect.null.low).toBeLessThan(effect.null.median);
    expect(effect.null.median).toBeLessThan(effect.null.high);
  });

  test('is nothing at all, to the bit, where no activation changes', async () => {
    const codes = await codesOf(steered);
    const silent = Array.from({ length: LATENTS }, (_, j) => j).find((j) => !codes.indices.includes(j))!;
    const [firing] = codes.indices;
    for (const edits of [
      [],
      [{ latent: silent, kind: 'ablate' }],
      [{ latent: silent, kind: 'scale', value: 9 }],
      [{ latent: firing, kind: 'scale', value: 1 }],
      [{ latent: silent, kind: 'set', value: 0 }],
      [{ latent: firing, kind: 'add', value: 2, positions: [5] }],
    ] as LatentEdit[][]) {
      const effect = await editEffect(steered, text, edits, edits[0]?.positions ? 4 : undefined);
      expect(effect.kl).toBe(0);
      expect(effect.null.draws.every((kl) => kl === 0)).toBe(true);
      for (const { before, after } of effect.tokens) expect(after).toBe(before);
    }
  });

  test('is asked for in the middle as at the end of a shorter text', async () => {
    const edits: LatentEdit[] = [{ latent: 2, kind: 'set', value: 3 }];
    expect(await editEffect(steered, text, edits, 3)).toEqual(
      await editEffect(steered, text.slice(0, 3), edits),
    );
  });
});

describe.each(PLACES)('steered text %s', (_name, steered) => {
  const options = { tokens: 5, temperature: 0, seed: 3 };

  test('is what the likeliest tokens of passes with a hook come to', async () => {
    const { steered: found, plain } = await continuePrompt(
      steered,
      'ab',
      [{ latent: 4, kind: 'add', value: 4 }],
      options,
    );
    for (const [continuation, value] of [
      [plain, 0],
      [found, 4],
    ] as const) {
      const ids = [...tokenizer.encode('ab', { bos: true })];
      const expected: number[] = [];
      while (expected.length < options.tokens) {
        const p = await withAdded(steered, Int32Array.from(ids), 4, () => value);
        const [next] = largest(p, 1);
        if (next === bos) break;
        ids.push(next);
        expected.push(next);
      }
      expect(continuation.tokens.map(({ id }) => id)).toEqual(expected);
      expect(continuation.text).toBe(tokenizer.decode(expected));
      expect(continuation.ended).toBe(expected.length < options.tokens);
    }
    expect(found.text).not.toBe(plain.text);
  });

  test('is the plain text where no activation changes, and the plain text is the sampler’s', async () => {
    for (const seed of [0, 1, 2, 3]) {
      const drawn = { tokens: 8, temperature: 6, seed };
      const { plain, steered: same } = await continuePrompt(
        steered,
        '',
        [{ latent: 1, kind: 'scale', value: 1 }],
        drawn,
      );
      expect(same).toEqual(plain);
      const sampled = await sampleTokens(model, { sequences: 1, length: 9, temperature: 6, seed });
      const end = sampled.indexOf(bos, 1);
      expect(plain.tokens.map(({ id }) => id)).toEqual([...sampled.slice(1, end < 0 ? undefined : end)]);
      expect(plain.ended).toBe(end > 0);
    }
  });
});

test('an edit of some positions is made at those only, also of text that is yet to be written', async () => {
  const edit = { latent: 4, kind: 'add', value: 30 } as const;
  const options = { tokens: 6, temperature: 0, seed: 0 };
  const { plain, steered } = await continuePrompt(RESIDUAL, 'ab', [{ ...edit, positions: [5] }], options);
  // Token 5 is the third that is written, and the first to know of it is the fourth.
  expect(steered.text.slice(0, 3)).toBe(plain.text.slice(0, 3));
  const { steered: everywhere } = await continuePrompt(RESIDUAL, 'ab', [edit], options);
  expect(everywhere.text).not.toBe(steered.text);
});

test('a text is read token by token: the latents that fire, what they leave, what comes next', async () => {
  const codes = await codesOf(RESIDUAL);
  const { tokens, next } = await readPrompt(RESIDUAL, text, 2);
  expect(tokens.map(({ text: shown }) => shown)).toEqual(['<s>', ...text]);
  expect(tokens[0]).toMatchObject({ active: 0, total: 0, latents: [], fvu: null });
  const run = await model.run(tokenizer.encode(text, { bos: true }), {
    batch: 1,
    length: 6,
    capture: [RESIDUAL.input],
  });
  const y = run.get(RESIDUAL.input)!.subarray(width);
  const output = await decode(backend, dictionary, codes, y);
  tokens.slice(1).forEach((token, r) => {
    const entries = Array.from({ length: codes.offsets[r + 1] - codes.offsets[r] }, (_, e) => ({
      latent: codes.indices[codes.offsets[r] + e],
      activation: codes.values[codes.offsets[r] + e],
    }));
    expect(token.active).toBe(entries.length);
    expect(token.total).toBeCloseTo(
      entries.reduce((sum, { activation }) => sum + activation, 0),
      5,
    );
    expect(token.latents).toEqual(entries.sort((a, b) => b.activation - a.activation).slice(0, 2));
    let [left, variance] = [0, 0];
    for (let c = r * width; c < (r + 1) * width; c++) {
      left += (y[c] - output[c]) ** 2;
      variance += (y[c] - RESIDUAL.mean[c % width]) ** 2;
    }
    expect(token.fvu).toBeCloseTo(left / variance, 10);
  });
  expect(next.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
  const { tokens: alone } = await readPrompt(RESIDUAL, '', 2);
  expect(alone).toHaveLength(1);
});

test('random moves are as long as the edits’ at each token, and along one direction for each latent', async () => {
  const x = normals(4 * width, 'x');
  const edits: LatentEdit[] = [
    { latent: 1, kind: 'add', value: 2 },
    { latent: 2, kind: 'set', value: 1, positions: [2, 3] },
  ];
  const moves = await movesOf(backend, dictionary, x, 1, edits);
  const norm = (of: Float32Array, r: number) => Math.hypot(...of.subarray(r * width, (r + 1) * width));
  const random = randomMoves(moves, dictionary, new Random(1, 'test'));
  for (let r = 0; r < 4; r++) expect(norm(random, r)).toBeCloseTo(norm(moves.output, r), 4);
  const single = await movesOf(backend, dictionary, x, 1, edits.slice(0, 1));
  const along = randomMoves(single, dictionary, new Random(1, 'test'));
  for (let r = 1; r < 4; r++)
    for (let c = 0; c < width; c++) expect(along[r * width + c]).toBeCloseTo(along[c], 5);
});

test.each<[Normalisation | undefined]>([[undefined], ['layerNorm'], ['constantNorm']])(
  'what a change of codes moves is what decoding makes of it, with %s normalisation and a skip path',
  async (normalisation) => {
    const own = { ...dictionary, normalisation, skip: normals(width * width, 'skip') };
    const x = normals(3 * width, 'x');
    const codes = await encode(backend, own, x, 3);
    const change = { ...codes, values: codes.values.map((value) => -value) };
    const none = {
      rows: 3,
      offsets: new Uint32Array(4),
      indices: codes.indices.slice(0, 0),
      values: codes.values.slice(0, 0),
    };
    const [before, after] = [await decode(backend, own, codes, x), await decode(backend, own, none, x)];
    const moved = await decodeChange(backend, own, change, x);
    moved.forEach((value, i) => {
      expect(value).toBeCloseTo(after[i] - before[i], 4);
    });
    expect(await decodeChange(backend, own, none, x)).toEqual(new Float32Array(3 * width));
  },
);

describe('refused are', () => {
  const long = 'a'.repeat(context);
  const options = { tokens: 3, temperature: 1, seed: 0 };
  test('texts beyond the context', async () => {
    await expect(readPrompt(RESIDUAL, long, 1)).rejects.toThrow(
      /text: found 11 tokens with BOS, expected at most 10.*tiny/,
    );
    await expect(editEffect(RESIDUAL, long, [])).rejects.toThrow(/text: found 11/);
    await expect(continuePrompt(RESIDUAL, long.slice(0, 7), [], options)).rejects.toThrow(
      /8 tokens with BOS and 3 to be written/,
    );
  });
  test.each([
    [{ tokens: 0 }, /tokens: found 0/],
    [{ tokens: 1.5 }, /tokens: found 1.5/],
    [{ temperature: -1 }, /temperature: found -1/],
    [{ temperature: Infinity }, /temperature: found Infinity/],
    [{ seed: 0.5 }, /seed: found 0.5/],
  ])('%o', async (wrong, message) => {
    await expect(continuePrompt(RESIDUAL, 'a', [], { ...options, ...wrong })).rejects.toThrow(message);
  });
  test('positions that the text does not have', async () => {
    await expect(editEffect(RESIDUAL, 'ab', [], 3)).rejects.toThrow(
      /position: found 3, expected .*0 \(BOS\) to 2/,
    );
    await expect(editEffect(RESIDUAL, 'ab', [{ latent: 0, kind: 'ablate', positions: [3] }])).rejects.toThrow(
      /positions/,
    );
  });
});

test('text that nobody waits for any more is not written', async () => {
  const signal = AbortSignal.abort(new Error('gone'));
  const options = { tokens: 3, temperature: 1, seed: 0, signal };
  await expect(continuePrompt(RESIDUAL, 'a', [], options)).rejects.toThrow('gone');
});

test('the largest of some values, the first of equals', () => {
  expect(largest([3, 1, 3, 7, 2], 3)).toEqual([3, 0, 2]);
  expect(largest([1], 3)).toEqual([0]);
  expect(largest([1, 2], 0)).toEqual([]);
});
