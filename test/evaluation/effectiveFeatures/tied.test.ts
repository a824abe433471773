import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../../src/dictionaries/dictionary.ts';
import { tied } from '../../../src/evaluation/effectiveFeatures/tied.ts';
import { currentDictionary } from '../../../src/training/state.ts';
import {
  backends,
  expectGradient,
  gradientOf,
  optionsFor,
  randomWorld,
  rows,
  width,
} from '../../dictionaries/families/gradientCheck.ts';
import { atTheEnd, trainSmall } from '../../dictionaries/families/smallWorld.ts';

const latents = 12;
const told = (penalty: number) => ({ family: 'tied', latents, penalty });

describe.each(backends)('on the $name backend', (backend) => {
  test.each([1, 2])('agrees with finite differences (seed %i)', async (seed) => {
    const world = await randomWorld(backend, optionsFor(tied, told(3)), seed);
    await expectGradient(backend, world, ['encoderBias', 'decoderWeight']);
  });

  test('the loss is the width times what the paper states; the output has no bias that could move', async () => {
    const penalty = 0.7;
    const world = await randomWorld(backend, optionsFor(tied, told(penalty)), 3);
    world.state.parameters.decoderBias.fill(0);
    const { loss, gradient } = await gradientOf(backend, world);
    const dictionary = await currentDictionary(backend, world.state, world.options);
    expect(dictionary.encoderWeight).toEqual(dictionary.decoderWeight);
    const x = world.data.x.map((value) => value * world.data.scale);
    const codes = await encode(backend, dictionary, x, rows);
    const output = await decode(backend, dictionary, codes, x);
    const error = output.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0) / (rows * width);
    const activity = codes.values.reduce((sum, value) => sum + Math.abs(value), 0) / (rows * latents);
    expect(loss / width).toBeCloseTo(error + penalty * activity, 4);
    expect(gradient.decoderBias.every((value) => value === 0)).toBe(true);
  });

  test('learns, and fires less the larger its penalty', async () => {
    const l0: number[] = [];
    for (const penalty of [0.1, 1, 3]) {
      const scale = 4;
      const { steps } = await trainSmall(backend, tied, { family: 'tied', latents: 32, penalty } as never, {
        times: scale,
      });
      l0.push(atTheEnd(steps, (step) => step.l0));
      if (penalty === 0.1) expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.1);
    }
    for (let i = 1; i < l0.length; i++) expect(l0[i]).toBeLessThan(l0[i - 1]);
  });
});
