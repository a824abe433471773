/** Families that fire above 0 under a penalty on the activations: L1 and p-annealing. */
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/dictionaries/dictionary.ts';
import type { Family, FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import { familyOptions } from '../../../src/dictionaries/families/index.ts';
import { l1 } from '../../../src/dictionaries/families/l1.ts';
import { panneal } from '../../../src/dictionaries/families/panneal.ts';
import { readNewestCheckpoint, writeCheckpoint } from '../../../src/training/checkpoint.ts';
import { propagate } from '../../../src/training/gradients.ts';
import { currentDictionary } from '../../../src/training/state.ts';
import { createWorkspace } from '../../../src/training/workspace.ts';
import { temporary } from '../../temporary.ts';
import { backends, expectGradient, gradientOf, optionsFor, randomWorld, rows } from './gradientCheck.ts';
import { atTheEnd, trainSmall } from './smallWorld.ts';

const four = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'];
const latents = 12;
const told = (family: Family, coefficient: number, of = latents) =>
  ({ family: family.name, latents: of, coefficient, finalPower: 0.2 }) as FamilyOptions;
const families: { name: string; family: Family }[] = [
  { name: 'l1', family: l1 },
  { name: 'panneal', family: panneal },
];

describe.each(backends)('on the $name backend', (backend) => {
  describe.each(families)('$name', ({ family }) => {
    it.each([1, 2])('agrees with finite differences (seed %i)', async (seed) => {
      const options = optionsFor(family, told(family, 0.7));
      await expectGradient(backend, await randomWorld(backend, options, seed), four);
    });

    it('agrees as a transcoder with a skip path, and over two outputs', async () => {
      const options = optionsFor(family, told(family, 0.7), { skip: true });
      const shape = { outputWidth: 9, outputBounds: Uint32Array.of(0, 4, 9) };
      await expectGradient(backend, await randomWorld(backend, options, 3, shape), [...four, 'skip']);
    });

    it('learns the features of a small world, fires on fewer latents the larger its coefficient', async () => {
      const l0: number[] = [];
      for (const coefficient of [0.03, 0.1, 0.3, 1]) {
        const { steps, cosine, randomCosine } = await trainSmall(
          backend,
          family,
          told(family, coefficient, 32),
        );
        l0.push(atTheEnd(steps, (step) => step.l0));
        if (coefficient !== 0.3) continue;
        expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.3 * steps[0].fvu);
        expect(cosine).toBeGreaterThan(randomCosine + 0.2);
        expect(cosine).toBeGreaterThan(0.9);
      }
      for (let i = 1; i < l0.length; i++) expect(l0[i]).toBeLessThan(0.8 * l0[i - 1]);
    });

    it('encodes in the end as in training', async () => {
      const world = await randomWorld(backend, optionsFor(family, told(family, 0.1)), 6);
      const { codes } = (await gradientOf(backend, world)).result.loss;
      const used = await currentDictionary(backend, world.state, world.options);
      const x = world.data.x.map((value) => value * world.data.scale);
      const found = await encode(backend, used, x, rows);
      expect(found.indices).toEqual(codes.indices);
      found.values.forEach((value, e) => {
        expect(value).toBeCloseTo(codes.values[e], 4);
      });
    });

    it('warms its penalty up', async () => {
      const penaltyAt = async (step: number) => {
        const options = optionsFor(family, told(family, 0.7), { sparsityWarmupFraction: 0.2 });
        const world = await randomWorld(backend, options, 6);
        world.state.step = step;
        return (await gradientOf(backend, world)).result.loss.penalty;
      };
      const whole = await penaltyAt(19);
      expect(await penaltyAt(4)).toBeCloseTo(whole / 4, 5);
      expect(await penaltyAt(25)).toBeCloseTo(whole, 5);
    });
  });

  it('panneal agrees with finite differences where p has fallen', async () => {
    const world = await randomWorld(backend, optionsFor(panneal, told(panneal, 0.2)), 2);
    world.state.step = 65;
    Object.assign(world.state.memory, { updates: 5, scale: 0.6 });
    await expectGradient(backend, world, four);
    const { result } = await gradientOf(backend, world);
    const p = 1 - (0.8 * 5) / 9;
    const sum = result.loss.codes.values.reduce((total, value) => total + value ** p, 0);
    expect(result.loss.penalty).toBeCloseTo((0.2 * 0.6 * sum) / rows, 5);
  });

  it('panneal lowers p ten times, and keeps the penalty of recent activations when it does', async () => {
    const options = optionsFor(panneal, told(panneal, 0.2));
    const { state, data } = await randomWorld(backend, options, 2);
    const workspace = createWorkspace(backend);
    // The parameters stay, so the penalty must stay too: exactly, whatever p is.
    const penalties: number[] = [];
    const updates: number[] = [];
    for (let step = 0; step < 100; step++) {
      penalties.push((await propagate(backend, options, { ...state, step }, data, workspace)).loss.penalty);
      updates.push(state.memory.updates);
    }
    for (const penalty of penalties) expect(penalty / penalties[0]).toBeCloseTo(1, 5);
    expect(updates.indexOf(1)).toBe(37);
    expect(updates.at(-1)).toBe(9);
    expect(updates.indexOf(9)).toBe(93);
    expect(state.memory.scale).not.toBe(1);
  });

  it('panneal moves one value of p a step where the run is too short for all', async () => {
    const options = optionsFor(panneal, told(panneal, 0.2), { tokens: rows * 4 });
    const { state, data } = await randomWorld(backend, options, 2);
    const updates: number[] = [];
    for (let step = 0; step < 4; step++) {
      await propagate(backend, options, { ...state, step }, data, createWorkspace(backend));
      updates.push(state.memory.updates);
    }
    expect(updates).toEqual([0, 0, 1, 2]);
    expect(state.memory.scale).toBeGreaterThan(0);
  });

  it('panneal goes on where nothing fired, and where activations are close to 0', async () => {
    const options = optionsFor(panneal, told(panneal, 0.2));
    const world = await randomWorld(backend, options, 2);
    world.state.parameters.encoderBias.fill(-1e3);
    Object.assign(world.state, { step: 40 });
    await gradientOf(backend, world);
    expect((await gradientOf(backend, world)).result.loss.penalty).toBe(0);
    world.state.parameters.encoderWeight.fill(0);
    world.state.parameters.encoderBias.fill(1e-38);
    world.state.memory.updates = 9;
    const { gradient } = await gradientOf(backend, world);
    for (const array of Object.values(gradient)) expect(array.every(Number.isFinite)).toBe(true);
  });

  it('panneal keeps what it remembers in a checkpoint', async () => {
    const dir = await temporary();
    const options = optionsFor(panneal, told(panneal, 0.2));
    const { state } = await randomWorld(backend, options, 2);
    Object.assign(state.memory, { updates: 3, scale: 0.71, now: 12.5, next: 9.25 });
    await writeCheckpoint(dir, state);
    const { state: other } = await randomWorld(backend, options, 3);
    expect(await readNewestCheckpoint(dir, other)).toBe(true);
    expect(other.memory).toEqual(state.memory);
  });

  it('panneal with a last power of 1 is l1', async () => {
    const bent = { ...told(panneal, 0.2), finalPower: 1 } as FamilyOptions;
    const [a, b] = await Promise.all([
      trainSmall(backend, panneal, bent, { tokens: 64 * 40 }),
      trainSmall(backend, l1, told(l1, 0.2), { tokens: 64 * 40 }),
    ]);
    a.dictionary.encoderWeight.forEach((value, i) => {
      expect(value).toBeCloseTo(b.dictionary.encoderWeight[i], 4);
    });
  });
});

describe('what is refused', () => {
  it.each([
    [{ family: 'l1', coefficient: -1 }, /coefficient|>=0/],
    [{ family: 'panneal', finalPower: 0 }, />0/],
    [{ family: 'panneal', finalPower: 1.5 }, /<=1/],
    [{ family: 'l1', k: 3 }, /k/],
  ])('%o', (value, message) => {
    expect(familyOptions.safeParse(value).error?.message).toMatch(message);
  });
});
