/** The families whose loss is smooth but for the selection: their gradient against finite differences. */
import { describe, it } from 'vitest';
import { batchtopk } from '../../../src/dictionaries/families/batchtopk.ts';
import type { Family } from '../../../src/dictionaries/families/family.ts';
import { relu } from '../../../src/dictionaries/families/relu.ts';
import { topk } from '../../../src/dictionaries/families/topk.ts';
import { backends, expectGradient, optionsFor, randomWorld } from './gradientCheck.ts';

const four = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'];
const latents = 12;

const cases: [string, Family, object][] = [
  ['topk', topk, { family: 'topk', latents, k: 3 }],
  ['batchtopk', batchtopk, { family: 'batchtopk', latents, k: 3 }],
  ['relu', relu, { family: 'relu', latents, coefficient: 0.7 }],
];

describe.each(backends)('on the $name backend', (backend) =>
  describe.each(cases)('%s', (_, family, dictionary) => {
    const options = optionsFor(family, dictionary as never);

    it.each([1, 2])('agrees with finite differences (seed %i)', async (seed) => {
      await expectGradient(backend, await randomWorld(backend, options, seed), four);
    });

    it('agrees as a transcoder with a skip path, and over two outputs', async () => {
      const shape = { outputWidth: 9, outputBounds: Uint32Array.of(0, 4, 9) };
      const skipping = { ...options, skip: true };
      await expectGradient(backend, await randomWorld(backend, skipping, 3, shape), [...four, 'skip']);
    });
  }),
);
