/** Every file that other software saved gives the latents and the reconstruction that this software computed from it. */
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readDictionary } from '../../../src/dictionaries/interop/index.ts';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { expectSame, FIXTURES, golden, outputs } from './helpers.ts';

const files = await readdir(FIXTURES, { recursive: true, withFileTypes: true });
const dirs = files
  .filter(({ name }) => name === 'golden.safetensors')
  .map(({ parentPath, name }) => relative(FIXTURES, dirname(join(parentPath, name))))
  .sort();

/** As each file's software would call it. */
const EXPECTED: Record<string, [format: string, architecture: string, selection: string]> = {
  'dictionary_learning/batchtopk': ['dictionary-learning', 'BatchTopKSAE', 'threshold'],
  'dictionary_learning/gated': ['dictionary-learning', 'GatedAutoEncoder', 'threshold'],
  'dictionary_learning/jumprelu': ['dictionary-learning', 'JumpReluAutoEncoder', 'threshold'],
  'dictionary_learning/matryoshka': ['dictionary-learning', 'MatryoshkaBatchTopKSAE', 'threshold'],
  'dictionary_learning/standard': ['dictionary-learning', 'AutoEncoder', 'threshold'],
  'dictionary_learning/topk': ['dictionary-learning', 'AutoEncoderTopK', 'topk'],
  'gemma_scope/layer_1/width_48/average_l0_6': ['gemma-scope', 'jumprelu', 'threshold'],
  'saelens/batchtopk_training_exported': ['saelens', 'jumprelu', 'threshold'],
  'saelens/gated': ['saelens', 'gated', 'threshold'],
  'saelens/jumprelu': ['saelens', 'jumprelu', 'threshold'],
  'saelens/jumprelu_training_exported': ['saelens', 'jumprelu', 'threshold'],
  'saelens/standard': ['saelens', 'standard', 'threshold'],
  'saelens/standard_layer_norm': ['saelens', 'standard', 'threshold'],
  'saelens/standard_no_b_dec_input': ['saelens', 'standard', 'threshold'],
  'saelens/topk': ['saelens', 'topk', 'topk'],
  'saelens/topk_rescaled': ['saelens', 'topk', 'topk'],
  'sparsify/layers.1': ['sparsify', 'topk', 'topk'],
  'sparsify/layers.1.mlp': ['sparsify', 'topk, transcode, skip', 'topk'],
};

test('these are all fixtures', () => {
  expect(dirs).toEqual(Object.keys(EXPECTED));
});

describe.each(dirs)('%s', (dir) => {
  it('is recognised by its files', async () => {
    const { format, architecture, dictionary } = await readDictionary(join(FIXTURES, dir));
    expect([format, architecture, dictionary.selection.kind]).toEqual(EXPECTED[dir]);
    expect([dictionary.width, dictionary.outputWidth, dictionary.latents]).toEqual([16, 16, 48]);
  });

  it.each([createReferenceBackend(), createNativeBackend()])(
    'gives its own latents and reconstruction on the $name backend',
    async (backend) => {
      const expected = await golden(dir);
      const { dictionary } = await readDictionary(join(FIXTURES, dir));
      expect(expected.latents.some((value) => value !== 0)).toBe(true);
      expectSame(await outputs(dictionary, expected.x, backend), expected, 1e-5);
    },
  );
});
