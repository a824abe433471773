import { expect, test } from 'vitest';
import { initialWeights } from '../../src/models/initialise.ts';
import { tinyConfig } from './helpers.ts';

const config = { ...tinyConfig, width: 64, heads: 2, headWidth: 32, mlpWidth: 96, vocabulary: 100 };

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

test('weights have the deviations that llama2.c starts from', () => {
  const { embedding, blocks, normFinal, unembedding } = initialWeights(config, 1);
  const usual = [embedding, ...blocks.flatMap(({ q, k, v, gate, down }) => [q, k, v, gate, down])];
  for (const weight of usual) expect(deviation(weight) / 0.02).toBeCloseTo(1, 1);
  for (const { o, up } of blocks) {
    for (const weight of [o, up]) expect(deviation(weight) / (0.02 / Math.sqrt(6))).toBeCloseTo(1, 1);
  }
  for (const gains of [normFinal, ...blocks.flatMap((block) => [block.normAttention, block.normMlp])]) {
    expect(gains).toEqual(new Float32Array(64).fill(1));
  }
  expect(unembedding).toBeUndefined();
});

test('the same seed gives the same weights, another seed others, and no two arrays are alike', () => {
  expect(initialWeights(config, 1)).toEqual(initialWeights(config, 1));
  const { blocks } = initialWeights(config, 1);
  expect(initialWeights(config, 2).blocks[0].q).not.toEqual(blocks[0].q);
  const starts = blocks.flatMap(({ q, k, v, o, gate, up, down }) =>
    [q, k, v, o, gate, up, down].map((w) => w[0]),
  );
  expect(new Set(starts).size).toBe(starts.length);
});
