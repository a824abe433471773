/**
 * What rounding operands to bfloat16 costs: a dictionary trained so explains the activations of a real model as well
 * as one trained in float32 on the same stream. Where the processor has no units for bfloat16 both are the same.
 */
import { expect, it } from 'vitest';
import { loadCorpus } from '../../../src/activations/corpora/index.ts';
import { modelSource } from '../../../src/activations/harvest.ts';
import { memorySource } from '../../../src/activations/memory.ts';
import { activationScale } from '../../../src/activations/normalise.ts';
import { familyOf } from '../../../src/dictionaries/families/index.ts';
import type { Precision } from '../../../src/kernels/backend.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { loadModel } from '../../../src/models/registry.ts';
import { parseConfig } from '../../../src/runs/config.ts';
import type { TrainingOptions } from '../../../src/training/options.ts';
import { trainOne } from '../../../src/training/train.ts';

it('explains as much of stories15M in bfloat16 as in float32', async () => {
  const backend = loadBackend();
  const { model, tokenizer, sha256 } = await loadModel('stories15M', backend);
  const { corpus: config } = parseConfig({ name: 'precision', corpus: { name: 'gutenberg-children' } });
  const corpus = await loadCorpus(config, { model, tokenizer, modelSha256: sha256 });
  const sequences = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i * 3);
  const read = (indices: number[]) => {
    const source = modelSource(model, corpus, indices, 'blocks.3.hook_resid_post');
    return source.read(indices.map((_, i) => i));
  };
  const [training, validation] = [await read(sequences(0, 160)), await read(sequences(1, 40))];
  const source = memorySource({ ...training, width: model.config.width });
  const { scale, mean } = await activationScale(source, { seed: 0 });
  const options: Omit<TrainingOptions, 'precision'> = {
    family: familyOf('topk'),
    dictionary: { family: 'topk', latents: 1024, k: 32 },
    optimiser: 'adam',
    sparsityWarmupFraction: 0,
    kStart: 32,
    kAnnealFraction: 0,
    resampleAt: [],
    decoderNorm: 1,
    skip: false,
    shuffleSeed: 1,
    tokens: 300_000,
    batch: 1024,
    learningRate: 1e-3,
    warmupFraction: 0.1,
    decayFraction: 0.2,
    beta1: 0.9,
    beta2: 0.999,
    auxCoefficient: 1 / 32,
    auxLatents: 144,
    deadAfterTokens: 50_000,
    gradientClip: 1,
    seed: 1,
    windowRows: 40_000,
  };
  const finalFvu = async (precision: Precision) => {
    let fvu = Number.NaN;
    await trainOne({
      backend,
      source,
      scale,
      mean,
      options: { ...options, precision },
      validation,
      validateEvery: 1000,
      onStep: ({ validationFvu }) => {
        fvu = validationFvu ?? fvu;
      },
    });
    return fvu;
  };
  const [exact, rounded] = [await finalFvu('fp32'), await finalFvu('bf16')];
  expect(exact).toBeLessThan(0.6);
  expect(Math.abs(rounded / exact - 1)).toBeLessThan(0.01);
});
