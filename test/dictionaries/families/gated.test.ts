/** Gated dictionaries: their gradient against the loss written out in float64, and what is used in the end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/dictionaries/dictionary.ts';
import type { FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import { gated } from '../../../src/dictionaries/families/gated.ts';
import type { Backend } from '../../../src/kernels/backend.ts';
import { Random } from '../../../src/math/random.ts';
import { currentDictionary } from '../../../src/training/state.ts';
import { backends, gradientOf, optionsFor, randomWorld, rows, type World, width } from './gradientCheck.ts';
import { expectSlope } from './slowly.ts';
import { atTheEnd, trainSmall } from './smallWorld.ts';

const latents = 12;
const coefficient = 0.3;
const dictionary = { family: 'gated', latents, coefficient } as FamilyOptions;
const all = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias', 'rMag', 'magBias'];

type Arrays = Record<string, Float64Array>;

/** A random world whose magnitudes are far from its gates. */
async function gatedWorld(backend: Backend, seed: number): Promise<World> {
  const world = await randomWorld(backend, optionsFor(gated, dictionary), seed);
  const random = new Random(seed, 'gated');
  random.fillNormal(world.state.parameters.rMag, 0.4);
  random.fillNormal(world.state.parameters.magBias, 0.4);
  return world;
}

/** The loss by its formula, the frozen decoder's arrays apart. */
function lossWrittenOut(p: Arrays, frozen: Arrays, x: ArrayLike<number>): number {
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const centered = Float64Array.from({ length: width }, (_, i) => x[r * width + i] - p.decoderBias[i]);
    const main = Float64Array.from(p.decoderBias);
    const aux = Float64Array.from(frozen.decoderBias);
    for (let j = 0; j < latents; j++) {
      let u = 0;
      for (let i = 0; i < width; i++) u += centered[i] * p.encoderWeight[j * width + i];
      const gate = u + p.encoderBias[j];
      if (gate <= 0) continue;
      const magnitude = Math.max(0, Math.exp(p.rMag[j]) * u + p.magBias[j]);
      for (let i = 0; i < width; i++) {
        main[i] += magnitude * p.decoderWeight[j * width + i];
        aux[i] += gate * frozen.decoderWeight[j * width + i];
      }
      loss += coefficient * gate;
    }
    for (let i = 0; i < width; i++)
      loss += (main[i] - x[r * width + i]) ** 2 + (aux[i] - x[r * width + i]) ** 2;
  }
  return loss / rows;
}

describe.each(backends)('on the $name backend', (backend) => {
  it.each([1, 2, 3])(
    'has the gradient of its loss, written out with a frozen decoder (seed %i)',
    async (seed) => {
      const world = await gatedWorld(backend, seed);
      const { gradient, loss } = await gradientOf(backend, world);
      const parameters = Object.fromEntries(
        all.map((name) => [name, Float64Array.from(world.state.parameters[name])]),
      );
      const frozen = { ...parameters };
      const x = world.data.x.map((value) => value * world.data.scale);
      expect(loss).toBeCloseTo(lossWrittenOut(parameters, frozen, x), 4);
      for (const name of all)
        expectSlope(name, parameters[name], gradient[name], (values) =>
          lossWrittenOut({ ...parameters, [name]: values }, frozen, x),
        );
    },
  );

  it('is a threshold selection when it is used', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const world = await gatedWorld(backend, seed);
        const { codes } = (await gradientOf(backend, world)).result.loss;
        const used = await currentDictionary(backend, world.state, world.options);
        if (used.selection.kind !== 'threshold') throw new Error(used.selection.kind);
        expect(used.selection.threshold.every((value) => value >= 0)).toBe(true);
        const x = world.data.x.map((value) => value * world.data.scale);
        const found = await encode(backend, used, x, rows);
        const fired = [...codes.values.keys()].filter((e) => codes.values[e] > 0);
        expect([...found.indices]).toEqual(fired.map((e) => codes.indices[e]));
        found.values.forEach((value, i) => {
          expect(value).toBeCloseTo(codes.values[fired[i]], 4);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('has latents whose gate opens to no magnitude, and some that the threshold holds back', async () => {
    const world = await gatedWorld(backend, 1);
    const { codes } = (await gradientOf(backend, world)).result.loss;
    expect(codes.values.some((value) => value === 0)).toBe(true);
    const { selection } = await currentDictionary(backend, world.state, world.options);
    if (selection.kind !== 'threshold') throw new Error(selection.kind);
    expect(selection.threshold.some((value) => value === 0)).toBe(true);
    expect(selection.threshold.some((value) => value > 0)).toBe(true);
  });

  it('learns the features of a small world, fires on fewer latents the larger its coefficient', async () => {
    const l0: number[] = [];
    for (const coefficient of [0.1, 0.3, 0.6, 1]) {
      const { steps, cosine, randomCosine } = await trainSmall(
        backend,
        gated,
        { ...dictionary, latents: 32, coefficient } as FamilyOptions,
        { beta1: gated.recipe.beta1 },
      );
      l0.push(atTheEnd(steps, (step) => step.l0));
      if (coefficient !== 0.6) continue;
      expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.2 * steps[0].fvu);
      expect(cosine).toBeGreaterThan(randomCosine + 0.2);
      expect(cosine).toBeGreaterThan(0.9);
    }
    for (let i = 1; i < l0.length; i++) expect(l0[i]).toBeLessThan(0.8 * l0[i - 1]);
  });
});
