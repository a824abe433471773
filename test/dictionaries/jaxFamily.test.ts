/** Families by automatic differentiation, against one whose gradient is written out: ReLU with L1. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { memorySource } from '../../src/activations/memory.ts';
import { encode } from '../../src/dictionaries/dictionary.ts';
import { GAO } from '../../src/dictionaries/families/family.ts';
import { relu } from '../../src/dictionaries/families/relu.ts';
import { type JaxFamily, jaxFamily } from '../../src/dictionaries/jaxFamily.ts';
import { checkOptions } from '../../src/training/options.ts';
import { currentDictionary } from '../../src/training/state.ts';
import { trainOne } from '../../src/training/train.ts';
import {
  backends,
  gradientOf,
  optionsFor,
  randomWorld,
  rows,
  width as wide,
} from './families/gradientCheck.ts';
import { atTheEnd, scale, smallWorld, trainSmall, width } from './families/smallWorld.ts';

const options = z.strictObject({
  family: z.literal('jaxrelu'),
  latents: z.int().positive(),
  coefficient: z.number().nonnegative(),
});

const described: JaxFamily<typeof options> = {
  name: 'jaxrelu',
  description: 'the family relu again',
  source: 'this test',
  options,
  recipe: relu.recipe,
  unitDecoder: false,
  centersInput: false,
  loss: (
    { numpy, nn },
    { encoderWeight, encoderBias, decoderWeight },
    { input, target, warmth, options },
  ) => {
    const rows = input.shape[0];
    const f = nn.relu(numpy.matmul(input, encoderWeight.transpose()).add(encoderBias));
    const error = numpy.matmul(f.ref, decoderWeight.ref).sub(target);
    const norms = numpy.sqrt(numpy.square(decoderWeight).sum(1));
    const penalty = f.ref.mul(norms).sum().mul(warmth).mul(options.coefficient);
    return [numpy.square(error).sum().add(penalty).div(rows), f];
  },
  dictionary: ({ latents }) => ({ selection: { kind: 'threshold', threshold: new Float32Array(latents) } }),
};
const jaxrelu = jaxFamily(described);
const told = { family: 'jaxrelu', latents: 12, coefficient: 0.7 } as const;
const four = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'];

afterEach(() => {
  vi.doUnmock('@jax-js/jax');
  vi.resetModules();
});

describe.each(backends)('on the $name backend', (backend) => {
  it.each([
    ['an autoencoder', {}],
    ['a transcoder', { outputWidth: 9 }],
  ])('has the gradient that relu has written out: %s', async (_, shape) => {
    const expected = await gradientOf(
      backend,
      await randomWorld(backend, optionsFor(relu, { ...told, family: 'relu' } as never), 1, shape),
    );
    const world = await randomWorld(backend, optionsFor(jaxrelu, told), 1, shape);
    const { loss, gradient, result } = await gradientOf(backend, world);
    expect(loss).toBeCloseTo(expected.loss, 4);
    expect(result.loss.penalty).toBeCloseTo(expected.result.loss.penalty, 4);
    expect(result.loss.codes.indices).toEqual(expected.result.loss.codes.indices);
    for (const name of four) {
      const right = expected.gradient[name];
      expect(gradient[name].length).toBe(right.length);
      const largest = Math.max(...right.map(Math.abs));
      for (let i = 0; i < right.length; i++)
        expect(Math.abs(gradient[name][i] - right[i]), `${name}[${i}]`).toBeLessThan(1e-4 * (1 + largest));
    }
  });

  it('follows b_dec through a centred input, and parameters of its own', async () => {
    const centred = jaxFamily({
      ...described,
      unitDecoder: true,
      centersInput: true,
      own: () => ({ gain: 1 }),
      loss: ({ numpy, nn }, { encoderWeight, encoderBias, decoderWeight, gain }, { input, target }) => {
        const rows = input.shape[0];
        const f = nn.relu(numpy.matmul(input, encoderWeight.transpose()).add(encoderBias)).mul(gain);
        const error = numpy.matmul(f.ref, decoderWeight).sub(target);
        return [numpy.square(error).sum().div(rows), f];
      },
    });
    const world = await randomWorld(backend, optionsFor(centred, told), 2);
    const { gradient } = await gradientOf(backend, world);
    // The gain could as well be the encoder's, which the family that is written out has.
    const { parameters } = world.state;
    const written = { ...relu, centersInput: true };
    const free = optionsFor(written, { family: 'relu', latents: 12, coefficient: 0 } as never);
    const encoderWeight = parameters.encoderWeight.map((w, i) => w * parameters.gain[Math.floor(i / wide)]);
    const encoderBias = parameters.encoderBias.map((b, j) => b * parameters.gain[j]);
    const state = { ...world.state, parameters: { ...parameters, encoderWeight, encoderBias } };
    const expected = (await gradientOf(backend, { options: free, state, data: world.data })).gradient;
    for (let j = 0; j < 12; j++) {
      let gain = expected.encoderBias[j] * parameters.encoderBias[j];
      for (let i = j * wide; i < (j + 1) * wide; i++) {
        gain += expected.encoderWeight[i] * parameters.encoderWeight[i];
        expect(gradient.encoderWeight[i]).toBeCloseTo(parameters.gain[j] * expected.encoderWeight[i], 4);
        expect(gradient.decoderWeight[i]).toBeCloseTo(expected.decoderWeight[i], 4);
      }
      expect(gradient.encoderBias[j]).toBeCloseTo(parameters.gain[j] * expected.encoderBias[j], 4);
      expect(gradient.gain[j]).toBeCloseTo(gain, 4);
    }
    gradient.decoderBias.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.decoderBias[i], 4);
    });
  });

  it('learns the features of a small world, and encodes in the end as in training', async () => {
    const small = { ...told, latents: 32, coefficient: 0.4 };
    const { steps, cosine, randomCosine, state, options } = await trainSmall(backend, jaxrelu, small);
    expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.5 * steps[0].fvu);
    expect(cosine).toBeGreaterThan(randomCosine + 0.2);
    expect(cosine).toBeGreaterThan(0.8);
    const x = smallWorld().activations.slice(0, rows * width);
    const { result } = await gradientOf(backend, {
      options: { ...options, batch: rows },
      state,
      data: { x, scale },
    });
    const used = await currentDictionary(backend, state, options);
    const codes = await encode(
      backend,
      used,
      x.map((value) => value * scale),
      rows,
    );
    expect(codes.indices).toEqual(result.loss.codes.indices);
  });

  it('resumes from a checkpoint to the same bytes', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'jax-family-'));
    try {
      const request = {
        backend,
        source: memorySource({ width, activations: smallWorld().activations }),
        scale,
        mean: new Float32Array(width),
        options: optionsFor(jaxrelu, told, { tokens: 64 * 20, batch: 64, sparsityWarmupFraction: 0.5 }),
      };
      const whole = await trainOne(request);
      const stop = new AbortController();
      const checkpoints = { dir, every: 5 };
      const onStep = ({ step }: { step: number }) => {
        if (step === 8) stop.abort();
      };
      await trainOne({ ...request, checkpoints, onStep, signal: stop.signal });
      const resumed = await trainOne({ ...request, checkpoints, resume: true });
      expect(resumed.state.parameters).toEqual(whole.state.parameters);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('refuses AuxK, which its recipe leaves out, and a skip path, by name', () => {
    expect(jaxFamily({ ...described, recipe: GAO }).recipe.auxCoefficient).toBe(0);
    const trained = optionsFor(jaxrelu, told);
    expect(() => checkOptions({ ...trained, auxCoefficient: 1 })).toThrow(/auxCoefficient.*jaxrelu/);
    expect(() => checkOptions({ ...trained, skip: true })).toThrow(/training\.skip.*jaxrelu/);
  });

  it('names a loss that gives other shapes', async () => {
    const wrong = jaxFamily({
      ...described,
      loss: (jax, parameters, batch) => {
        const [loss, f] = described.loss(jax, parameters, batch);
        return [loss, f.transpose()];
      },
    });
    const world = await randomWorld(backend, optionsFor(wrong, told), 3);
    await expect(gradientOf(backend, world)).rejects.toThrow(/jaxrelu.*\[12,13\].*\[13, 12\]/);
    const many = jaxFamily({
      ...described,
      loss: (jax, parameters, batch) => {
        const [loss, f] = described.loss(jax, parameters, batch);
        loss.dispose();
        return [f.ref, f];
      },
    });
    await expect(gradientOf(backend, await randomWorld(backend, optionsFor(many, told), 3))).rejects.toThrow(
      /scalar/,
    );
  });

  it('says what to install where jax-js is missing', async () => {
    vi.doMock('@jax-js/jax', () => {
      throw new Error("Cannot find package '@jax-js/jax'");
    });
    const world = await randomWorld(backend, optionsFor(jaxFamily(described), told), 4);
    await expect(gradientOf(backend, world)).rejects.toThrow(/jaxrelu.*npm install @jax-js\/jax/);
  });
});
