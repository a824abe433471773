/** What a training does where it is not told. */
import { describe, expect, it } from 'vitest';
import { familyNames, familyOf } from '../../src/dictionaries/families/index.ts';
import { relu } from '../../src/dictionaries/families/relu.ts';
import { topk } from '../../src/dictionaries/families/topk.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { checkOptions } from '../../src/training/options.ts';
import { trainingOptions, withRecipe } from '../../src/training/recipe.ts';

const dictionary = { family: 'topk', latents: 2 ** 14, k: 16 };

const families = familyNames.map((name) => familyOf(name as never));

describe('withRecipe', () => {
  it("has the paper's rate for a run of its length, and larger ones for shorter runs, up to 16 times", () => {
    const rate = (steps: number) =>
      withRecipe(topk, dictionary, { tokens: 100 * steps, batch: 100 }, 64).learningRate;
    expect(rate(100_000)).toBeCloseTo(2e-4, 10);
    expect(rate(60_000)).toBeCloseTo(2e-4, 10);
    expect(rate(15_000)).toBeCloseTo(4e-4, 10);
    expect(rate(10)).toBeCloseTo(16 * 2e-4, 10);
  });

  it.each(families)('decides what a configuration can say again: $name', (family) => {
    const config = parseConfig({ name: 'run', dictionary: { family: family.name as never } });
    const decided = withRecipe(family, config.dictionary, config.training, 64);
    const again = parseConfig({ ...config, training: { ...config.training, ...decided } });
    expect(again.training).toMatchObject(decided);
  });

  it('leaves what is said, and takes auto for not said', () => {
    const given = { tokens: 1000, batch: 10, beta1: 0.5, beta2: 'auto', kStart: 40 } as const;
    const found = withRecipe(topk, dictionary, given, 64);
    expect(found).toMatchObject({ beta1: 0.5, beta2: topk.recipe.beta2, kStart: 40, auxLatents: 32 });
    expect(withRecipe(topk, dictionary, { tokens: 1000, batch: 10 }, 64).kStart).toBe(16);
  });
});

describe('trainingOptions', () => {
  it("agrees with a run's configuration where that has a default", () => {
    const { training } = parseConfig({ name: 'run' });
    const { tokens } = training;
    const options = trainingOptions(topk, dictionary, { tokens }, 64);
    for (const name of ['batch', 'kAnnealFraction', 'gradientClip', 'shuffleSeed', 'windowRows'] as const)
      expect(options[name], name).toBe(training[name]);
  });

  it('takes what is given, and the start of the decoder from the family', () => {
    const options = trainingOptions(
      relu,
      { family: 'relu', latents: 8 },
      { tokens: 500, batch: 50, seed: 3 },
      4,
    );
    expect(options).toMatchObject({
      batch: 50,
      seed: 3,
      decoderNorm: 0.1,
      auxCoefficient: 0,
      learningRate: 5e-5 * 16,
    });
  });

  it.each(families)('gives what can be trained: $name', (family) => {
    const told = family.options.parse({ family: family.name, latents: 64 });
    expect(() => checkOptions(trainingOptions(family as never, told, { tokens: 1e4 }, 8))).not.toThrow();
  });
});
