import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { greedy, sampleTokens } from '../../src/models/sampling.ts';
import { createTransformer, type Edit, type Transformer } from '../../src/models/transformer.ts';
import { largestDifference, randomTokens, randomWeights, tinyConfig, tinyModel } from './helpers.ts';

const { bos, width, vocabulary, context } = tinyConfig;
/** Warm, as the tiny model is sure of itself. */
const options = { sequences: 7, length: 9, temperature: 8, seed: 3 };
const last = 'ln_final.hook_normalized';

/** All logits are equal, so the first token is the likeliest. */
function indifferentModel(bos: number): Transformer {
  const weights = { ...randomWeights(), normFinal: new Float32Array(width) };
  return createTransformer(createReferenceBackend(), { ...tinyConfig, bos }, weights);
}

describe('a decoder', () => {
  test.each([loadBackend(), createReferenceBackend()])(
    'computes token by token what a run computes at once ($name)',
    async (backend) => {
      const model = tinyModel(backend);
      const tokens = randomTokens(3 * context);
      const whole = (await model.run(tokens, { batch: 3, length: context, capture: [last] })).get(last)!;
      const decoder = model.decoder(3, context);
      for (let position = 0; position < context; position++) {
        const next = Int32Array.from({ length: 3 }, (_, b) => tokens[b * context + position]);
        const found = await decoder.step(next);
        for (let b = 0; b < 3; b++) {
          const at = (b * context + position) * width;
          const difference = largestDifference(
            found.subarray(b * width, (b + 1) * width),
            whole.subarray(at, at + width),
          );
          expect(difference).toBeLessThan(1e-4);
        }
      }
    },
  );

  test.each([loadBackend(), createReferenceBackend()])(
    'is edited between blocks as a run is, and not at all by an edit that changes nothing ($name)',
    async (backend) => {
      const model = tinyModel(backend);
      const tokens = randomTokens(context);
      const hooks = [
        'blocks.0.hook_resid_pre',
        'blocks.0.hook_resid_post',
        'blocks.1.hook_resid_pre',
        'blocks.2.hook_resid_post',
      ];
      const change: Edit = (activation) => {
        for (let i = 0; i < activation.length; i++)
          activation[i] = 1.5 * activation[i] + 0.1 * ((i % width) % 3);
      };
      for (const chosen of [...hooks.map((hook) => [hook]), [...hooks].reverse()]) {
        const edit = Object.fromEntries(chosen.map((hook) => [hook, change]));
        const whole = (await model.run(tokens, { batch: 1, length: context, capture: [last], edit })).get(
          last,
        )!;
        const decoder = model.decoder(1, context, edit);
        const plain = model.decoder(1, context);
        const unchanged = model.decoder(
          1,
          context,
          Object.fromEntries(chosen.map((hook) => [hook, () => {}])),
        );
        for (let position = 0; position < context; position++) {
          const token = tokens.slice(position, position + 1);
          const expected = whole.subarray(position * width, (position + 1) * width);
          expect(largestDifference(await decoder.step(token), expected)).toBeLessThan(1e-4);
          expect(await unchanged.step(token)).toEqual(await plain.step(token));
        }
      }
    },
  );

  test('refuses edits inside a block, and at what there is not', () => {
    const edit = (hook: string) => () => tinyModel().decoder(1, 2, { [hook]: () => {} });
    expect(edit('blocks.1.hook_mlp_out')).toThrow(/hook blocks.1.hook_mlp_out: .*between blocks only/);
    expect(edit('blocks.3.hook_resid_post')).toThrow(/no hook point/);
  });

  test('refuses more tokens than it has room for, and more room than the context', async () => {
    const model = tinyModel();
    const decoder = model.decoder(1, 2);
    await decoder.step(Int32Array.of(1));
    await decoder.step(Int32Array.of(2));
    await expect(decoder.step(Int32Array.of(3))).rejects.toThrow(/room for 2/);
    await expect(model.decoder(2, 2).step(Int32Array.of(3))).rejects.toThrow(RangeError);
    expect(() => model.decoder(1, context + 1)).toThrow(/11 tokens.*tiny.*10/);
  });
});

describe('sampled sequences', () => {
  test.each([loadBackend(), createReferenceBackend()])(
    'do not depend on how many are written at a time ($name)',
    async (backend) => {
      const model = tinyModel(backend);
      const together = await sampleTokens(model, options);
      expect(together.length).toBe(7 * 9);
      for (const batch of [1, 2, 3])
        expect(await sampleTokens(model, { ...options, batch })).toEqual(together);
      expect(await sampleTokens(model, { ...options, sequences: 2 })).toEqual(together.slice(0, 2 * 9));
    },
  );

  test('begin with BOS, differ from each other, and with the seed', async () => {
    const model = tinyModel();
    const all = await sampleTokens(model, options);
    const texts = Array.from({ length: 7 }, (_, i) => all.subarray(i * 9, (i + 1) * 9).join(' '));
    for (const text of texts) expect(text.startsWith(`${bos} `)).toBe(true);
    expect(new Set(texts).size).toBe(7);
    expect(await sampleTokens(model, { ...options, seed: 4 })).not.toEqual(all);
  });

  test('follow the probabilities that the model gives', async () => {
    const model = tinyModel();
    const sequences = 4000;
    const tokens = await sampleTokens(model, { ...options, sequences, length: 2, batch: 1000 });
    const run = await model.run(Int32Array.of(bos), { batch: 1, length: 1, capture: [last] });
    const weights = (await model.logits(run.get(last)!, 1)).map((x) => Math.exp(x / options.temperature));
    const total = weights.reduce((a, b) => a + b);
    for (let token = 0; token < vocabulary; token++) {
      const p = weights[token] / total;
      const share = tokens.filter((drawn, i) => i % 2 === 1 && drawn === token).length / sequences;
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / sequences));
    }
  });

  test('at temperature 0 are of the likeliest tokens, as greedy finds them', async () => {
    const weights = { ...randomWeights(), unembedding: randomWeights(tinyConfig, 9).embedding };
    const model = createTransformer(createReferenceBackend(), tinyConfig, weights);
    const [drawn, again] = await Promise.all(
      [1, 2].map((seed) => sampleTokens(model, { ...options, seed, sequences: 1, temperature: 0 })),
    );
    expect(again).toEqual(drawn);
    const run = await model.run(drawn, { batch: 1, length: 9, capture: [last] });
    const logits = await model.logits(run.get(last)!, 9);
    for (let position = 0; position < 8; position++) {
      const row = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
      expect(drawn[position + 1]).toBe(row.indexOf(Math.max(...row)));
    }
    const story = await greedy(model, { maxTokens: 8 });
    expect(story.length).toBeGreaterThan(0);
    expect(drawn.subarray(1, 1 + story.length)).toEqual(story);
  });

  test('go on after a BOS', async () => {
    const drawn = await sampleTokens(indifferentModel(0), { ...options, sequences: 1, temperature: 0 });
    expect([...drawn]).toEqual(Array(9).fill(0));
  });

  test('report tokens as they are written', async () => {
    const reports: number[] = [];
    const onProgress = (done: number, total: number): void => {
      expect(total).toBe(63);
      reports.push(done);
    };
    await sampleTokens(tinyModel(), { ...options, batch: 4, onProgress });
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
    expect(reports.at(-1)).toBe(63);
    expect(reports.length).toBe(18);
  });

  test.each([
    [{ length: 11 }, /length: found 11.*1 to 10.*tiny/],
    [{ length: 0 }, /length: found 0/],
    [{ sequences: 1.5 }, /sequences: found 1.5/],
    [{ batch: 0 }, /batch: found 0/],
    [{ temperature: -1 }, /temperature: found -1/],
    [{ temperature: NaN }, /temperature: found NaN/],
  ])('are refused for %o', async (wrong, message) => {
    await expect(sampleTokens(tinyModel(), { ...options, ...wrong })).rejects.toThrow(message);
  });
});

describe('greedy', () => {
  test('ends before BOS', async () => {
    expect((await greedy(indifferentModel(0), { maxTokens: 5 })).length).toBe(0);
  });

  test('ends at the number of tokens asked for', async () => {
    expect([...(await greedy(indifferentModel(1), { maxTokens: 5 }))]).toEqual([0, 0, 0, 0, 0]);
    await expect(greedy(tinyModel(), { maxTokens: 11 })).rejects.toThrow(/maxTokens: found 11/);
  });
});
