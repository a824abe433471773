// Data with known features, and how to train on it: shared by the test and by the process that it kills.
// JavaScript over `dist/`, since that process is plain node.
import { memorySource } from '../../dist/activations/memory.js';
import { familyOf } from '../../dist/dictionaries/families/index.js';
import { Random } from '../../dist/math/random.js';

export const width = 24;
export const features = 40;
export const rows = 6000;

// Each row is the sum of about three of 40 unit directions, with amplitudes around 1.
const random = new Random(1, 'world');
export const directions = new Float32Array(features * width);
random.fillNormal(directions, width ** -0.5);
export const activations = new Float32Array(rows * width);
for (let r = 0; r < rows; r++) {
  for (let f = 0; f < features; f++) {
    if (random.uniform() > 3 / features) continue;
    const amplitude = 1 + 0.2 * random.normal();
    for (let i = 0; i < width; i++) activations[r * width + i] += amplitude * directions[f * width + i];
  }
}
export const source = memorySource({
  width,
  activations,
  sequences: Int32Array.from({ length: rows }, (_, r) => Math.floor(r / 50)),
});
export const scale = 0.6;
export const mean = new Float32Array(width);

/** @type {import('../../src/training/options.ts').TrainingOptions} */
export const options = {
  family: familyOf('topk'),
  dictionary: { family: 'topk', latents: 64, k: 3 },
  optimiser: 'adam',
  tokens: 256 * 300,
  batch: 256,
  learningRate: 3e-3,
  warmupFraction: 0.05,
  decayFraction: 0.2,
  beta1: 0.9,
  beta2: 0.999,
  sparsityWarmupFraction: 0.05,
  kStart: 3,
  kAnnealFraction: 0.1,
  resampleAt: [],
  decoderNorm: 1,
  skip: false,
  auxCoefficient: 1 / 32,
  auxLatents: 12,
  deadAfterTokens: 256 * 20,
  gradientClip: 1,
  seed: 7,
  shuffleSeed: 7,
  windowRows: 2000,
  precision: 'fp32',
};
