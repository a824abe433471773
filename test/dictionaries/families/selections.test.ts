/** Families that differ in which latents fire: AbsTopK, GroupMax, Matryoshka. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/dictionaries/dictionary.ts';
import { abstopk } from '../../../src/dictionaries/families/abstopk.ts';
import type { Family, FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import { groupmax } from '../../../src/dictionaries/families/groupmax.ts';
import { familyOptions } from '../../../src/dictionaries/families/index.ts';
import { matryoshka } from '../../../src/dictionaries/families/matryoshka.ts';
import { propagate } from '../../../src/training/gradients.ts';
import { currentDictionary } from '../../../src/training/state.ts';
import { createWorkspace } from '../../../src/training/workspace.ts';
import {
  backends,
  expectGradient,
  gradientOf,
  optionsFor,
  randomWorld,
  rows,
  width,
} from './gradientCheck.ts';
import { atTheEnd, trainSmall } from './smallWorld.ts';

const four = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'];
const latents = 12;
const shares = [1 / 6, 1 / 3];

interface Case {
  readonly name: string;
  readonly family: Family;
  readonly dictionary: FamilyOptions;
  /** In the small world: 32 latents. */
  readonly trained: FamilyOptions;
  readonly signed?: boolean;
}

const cases: Case[] = [
  {
    name: 'abstopk',
    family: abstopk,
    dictionary: { family: 'abstopk', latents, k: 3 },
    trained: { family: 'abstopk', latents: 32, k: 3 },
    signed: true,
  },
  {
    name: 'groupmax',
    family: groupmax,
    dictionary: { family: 'groupmax', latents, k: 3 },
    trained: { family: 'groupmax', latents: 32, k: 4 },
  },
  {
    name: 'matryoshka',
    family: matryoshka,
    dictionary: { family: 'matryoshka', latents, k: 4, prefixes: 'fixed', shares } as FamilyOptions,
    trained: { family: 'matryoshka', latents: 32, k: 3, prefixes: 'fixed', shares: [0.5] } as FamilyOptions,
  },
  {
    name: 'matryoshka with random prefixes',
    family: matryoshka,
    dictionary: { family: 'matryoshka', latents, k: 4, prefixes: 'random', count: 4 } as FamilyOptions,
    trained: { family: 'matryoshka', latents: 32, k: 3, prefixes: 'random', count: 3 } as FamilyOptions,
  },
];

describe.each(backends)('on the $name backend', (backend) => {
  describe.each(cases)('$name', ({ family, dictionary, trained, signed }) => {
    const options = optionsFor(family, dictionary);

    it.each([1, 2])('agrees with finite differences (seed %i)', async (seed) => {
      await expectGradient(backend, await randomWorld(backend, options, seed), four);
    });

    it('agrees as a transcoder with a skip path, and over two outputs', async () => {
      const shape = { outputWidth: 9, outputBounds: Uint32Array.of(0, 4, 9) };
      const world = await randomWorld(backend, { ...options, skip: true }, 3, shape);
      await expectGradient(backend, world, [...four, 'skip']);
    });

    it('learns the features of a small world', async () => {
      const { steps, cosine, randomCosine } = await trainSmall(backend, family, trained, { signed });
      expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.5 * steps[0].fvu);
      expect(cosine).toBeGreaterThan(randomCosine + 0.2);
      expect(cosine).toBeGreaterThan(0.8);
    });

    it('fires on more latents with a larger k, from 1 to a third of the latents', async () => {
      const l0 = async (k: number) => {
        const world = await randomWorld(backend, optionsFor(family, { ...dictionary, k }), 5);
        return (await gradientOf(backend, world)).result.loss.codes.values.length / rows;
      };
      const counts = await Promise.all([1, 2, 4].map(l0));
      expect(counts[0]).toBeLessThan(counts[1]);
      expect(counts[1]).toBeLessThan(counts[2]);
      expect(counts[2]).toBeLessThanOrEqual(4);
    });
  });

  it.each(cases.slice(0, 2))('$name encodes in the end as in training', async ({ family, dictionary }) => {
    const world = await randomWorld(backend, optionsFor(family, dictionary), 6);
    const { result } = await gradientOf(backend, world);
    const used = await currentDictionary(backend, world.state, world.options);
    const x = world.data.x.map((value) => value * world.data.scale);
    const codes = await encode(backend, used, x, rows);
    expect(codes.indices).toEqual(result.loss.codes.indices);
    codes.values.forEach((value, e) => {
      expect(value).toBeCloseTo(result.loss.codes.values[e], 4);
    });
  });

  it('abstopk chooses by magnitude and keeps the sign', async () => {
    const world = await randomWorld(backend, optionsFor(abstopk, cases[0].dictionary), 7);
    const { codes } = (await gradientOf(backend, world)).result.loss;
    expect(codes.values.some((value) => value < 0)).toBe(true);
    expect(codes.values.some((value) => value > 0)).toBe(true);
    expect(codes.values.length).toBe(3 * rows);
  });

  it('groupmax has the strongest of each group, at most one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 3, 4, 6, 12), fc.nat(1000), async (k, seed) => {
        const world = await randomWorld(backend, optionsFor(groupmax, { ...cases[1].dictionary, k }), seed);
        const { batch, loss } = (await gradientOf(backend, world)).result;
        const { encoderWeight, encoderBias } = batch.parameters;
        for (let r = 0; r < rows; r++) {
          const z = Array.from(encoderBias, (bias, j) => {
            let sum = bias;
            for (let i = 0; i < width; i++) sum += batch.input[r * width + i] * encoderWeight[j * width + i];
            return sum;
          });
          const expected = Array.from({ length: k }, (_, group) => {
            const run = z.slice((group * latents) / k, ((group + 1) * latents) / k);
            return (group * latents) / k + run.indexOf(Math.max(...run));
          }).filter((j) => z[j] > 0);
          expect([...loss.codes.indices.subarray(loss.codes.offsets[r], loss.codes.offsets[r + 1])]).toEqual(
            expected,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it('matryoshka fires above the average of the smallest activations that were chosen', async () => {
    const { state, options, steps } = await trainSmall(backend, matryoshka, cases[2].trained);
    const { selection } = await currentDictionary(backend, state, options);
    if (selection.kind !== 'threshold') throw new Error(selection.kind);
    expect(selection.threshold[0]).toBeGreaterThan(0);
    expect(new Set(selection.threshold).size).toBe(1);
    expect(atTheEnd(steps, ({ l0 }) => l0)).toBeCloseTo(3, 1);
  });

  it.each([
    [shares, [0, 2, 6, 12]],
    [
      [1 / 100, 1 / 4],
      [0, 3, 12],
    ],
  ])(
    'matryoshka is the mean over its fixed prefixes and b_dec alone, written out: shares %o',
    async (shares, ends) => {
      const dictionary = { ...cases[2].dictionary, shares };
      const world = await randomWorld(backend, optionsFor(matryoshka, dictionary), 8);
      const { loss, result } = await gradientOf(backend, world);
      const { batch, loss: found } = result;
      const { decoderWeight } = batch.parameters;
      const errors = ends.map((end) => {
        const error = Float64Array.from(batch.target, (value) => -value);
        for (let r = 0; r < rows; r++) {
          for (let e = found.codes.offsets[r]; e < found.codes.offsets[r + 1]; e++) {
            const j = found.codes.indices[e];
            if (j >= end) continue;
            for (let i = 0; i < width; i++)
              error[r * width + i] += found.codes.values[e] * decoderWeight[j * width + i];
          }
        }
        return error.reduce((sum, value) => sum + value * value, 0) / rows;
      });
      expect(loss).toBeCloseTo(errors.reduce((sum, error) => sum + error, 0) / errors.length, 4);
      expect(found.parts.length).toBe(ends.length - 1);
      expect(found.reconstruction).toBeCloseTo(errors[errors.length - 1], 4);
    },
  );

  it('matryoshka draws other prefixes in each step, half of them shorter than a quarter of the latents', async () => {
    const dictionary = {
      family: 'matryoshka',
      latents: 64,
      k: 20,
      prefixes: 'random',
      count: 2,
    } as FamilyOptions;
    const world = await randomWorld(backend, optionsFor(matryoshka, dictionary), 9);
    const workspace = createWorkspace(backend);
    const ends: number[] = [];
    for (let step = 0; step < 60; step++) {
      const { loss } = await propagate(
        backend,
        world.options,
        { ...world.state, step },
        world.data,
        workspace,
      );
      const { offsets } = loss.parts[0].order;
      ends.push(offsets.indexOf(offsets[64]));
    }
    expect(new Set(ends).size).toBeGreaterThan(10);
    // Seen by the last latent that fires in it, which may stand before its end.
    const short = ends.filter((end) => end <= 16).length / ends.length;
    expect(short).toBeGreaterThan(0.3);
    expect(short).toBeLessThan(0.7);
  });
});

describe('what is refused', () => {
  it.each([
    [{ family: 'groupmax', latents: 100, k: 32 }, /divisor of the 100 latents/],
    [{ family: 'matryoshka', shares: [0.5, 0.5] }, /sum is below 1/],
    [{ family: 'matryoshka', shares: [0.5, -0.1] }, /./],
    [{ family: 'matryoshka', prefixes: 'other' }, /fixed/],
    [{ family: 'abstopk', coefficient: 1 }, /coefficient/],
  ])('%o', (value, message) => {
    const { error } = familyOptions.safeParse(value);
    expect(error?.message).toMatch(message);
  });
});
