import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { parseConfig } from '../../src/runs/config.ts';

function fault(value: unknown): string {
  try {
    parseConfig(value, 'config.json');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

describe('parseConfig', () => {
  it('fills in every default from a name alone', () => {
    expect(parseConfig({ name: 'first' })).toEqual({
      name: 'first',
      seed: 0,
      precision: 'auto',
      model: 'stories15M',
      hook: 'blocks.3.hook_resid_post',
      corpus: {
        name: 'self',
        tokens: 2_210_000,
        context: 256,
        temperature: 1,
        seed: 0,
        textField: 'text',
        validationFraction: 0.05,
        testFraction: 0.05,
      },
      dictionary: { family: 'topk', latents: 4608, k: 32 },
      training: {
        tokens: 2_210_000,
        batch: 4096,
        optimiser: 'auto',
        learningRate: 'auto',
        warmupFraction: 'auto',
        decayFraction: 'auto',
        beta1: 'auto',
        beta2: 'auto',
        sparsityWarmupFraction: 'auto',
        kStart: 'auto',
        kAnnealFraction: 0.1,
        auxCoefficient: 'auto',
        auxLatents: 'auto',
        deadAfterTokens: 'auto',
        resampleAt: 'auto',
        shuffleSeed: 0,
        gradientClip: 1,
        windowRows: 131_072,
        logEvery: 10,
        checkpointEvery: 100,
      },
      evaluation: { resamples: 1000, nulls: ['random', 'reinitialised'] },
      interpretation: { topExamples: 6, sampledExamples: 20 },
    });
  });

  it('gives back what it gave, unchanged', () => {
    const config = parseConfig({ name: 'first', training: { learningRate: 3e-4 }, dictionary: { k: 8 } });
    expect(parseConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names an unknown key, where it stands, and the nearest known one', () => {
    expect(fault({ name: 'a', trainning: {} })).toMatch(
      /^config\.json: unknown key "trainning"; did you mean "training"\? \(the keys here are name, seed, /,
    );
    expect(fault({ name: 'a', training: { learningrate: 1 } })).toContain(
      'unknown key "training.learningrate"; did you mean "learningRate"?',
    );
    const far = fault({ name: 'a', dictionary: { zzzzzz: 1 } });
    expect(far).toContain('unknown key "dictionary.zzzzzz" (the keys here are family, latents, k)');
  });

  it('names every faulty field with what was found and what was expected', () => {
    const message = fault({ seed: -1, dictionary: { family: 'gate' }, training: { learningRate: 'fast' } });
    expect(message).toContain('name is missing');
    expect(message).toContain('seed: found -1, expected number to be >=0');
    expect(message).toMatch(/dictionary\.family: found "gate", .*expected/);
    expect(message).toContain('training.learningRate: found "fast", expected number or "auto"');
  });

  it('refuses values that contradict each other', () => {
    expect(fault({ name: 'a', dictionary: { latents: 16, k: 17 } })).toContain(
      'dictionary.k: found 17, expected at most the 16 latents',
    );
    expect(fault({ name: 'a', corpus: { validationFraction: 0.6, testFraction: 0.4 } })).toContain(
      'corpus: validationFraction and testFraction add up to 1',
    );
    expect(fault({ name: 'a', training: { warmupFraction: 0.9, decayFraction: 0.2 } })).toContain(
      'training: warmupFraction and decayFraction add up to 1.1',
    );
  });

  it('refuses numbers that are not whole, not finite or not positive', () => {
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, '32', null])
      expect(fault({ name: 'a', dictionary: { k: bad } })).toMatch(/dictionary\.k: found .*, expected/);
  });

  it('refuses a name that would leave the directory of runs', () => {
    for (const name of ['', '.', '..', '../up', 'a/b', 'a\\b', '-rf', '.hidden', 'a\u0000b', 'a'.repeat(101)])
      expect(fault({ name })).toMatch(/name: found .*, expected 1 to 100 letters/);
  });

  it('refuses what is not an object', () => {
    for (const value of [null, [], 'name', 3])
      expect(fault(value)).toMatch(/^config\.json: found .*, expected object/);
  });
});
