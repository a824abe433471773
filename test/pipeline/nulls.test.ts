/** Which nulls a run has, and what those are told that are trained beside its dictionary. */
import { describe, expect, it } from 'vitest';
import { NULL_NAMES } from '../../src/evaluation/nulls/index.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { resolveTraining } from '../../src/pipeline/learn.ts';
import { nullDirectory, nullLessons, nullsOf } from '../../src/pipeline/nulls.ts';
import { sweepMemory } from '../../src/pipeline/sweepMemory.ts';
import { parseConfig, type RunConfigInput } from '../../src/runs/config.ts';

const withAll = (more: Partial<RunConfigInput>) =>
  parseConfig({ name: 'a', evaluation: { nulls: 'all' }, ...more });
const names = (more: Partial<RunConfigInput>) => nullsOf(withAll(more)).map(({ name }) => name);
const TRAINED = ['frozen-decoder', 'soft-frozen-decoder', 'frozen-encoder', 'shuffled'];

describe('the nulls of a run', () => {
  it('are all of them for an autoencoder and a crosscoder', () => {
    expect(names({})).toEqual(NULL_NAMES);
    expect(names({ hook: ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'] })).toEqual(NULL_NAMES);
  });

  it('are the trained ones for a transcoder, whose two ends have no directions in common', () => {
    const target = { hook: 'blocks.1.hook_mlp_out' };
    expect(names({ hook: 'blocks.1.ln2.hook_normalized', target })).toEqual([...TRAINED, 'reinitialised']);
  });

  it('have no model to draw anew for a file of activations', () => {
    expect(names({ activations: 'a.npy' })).toEqual(NULL_NAMES.filter((name) => name !== 'reinitialised'));
  });

  it('have no encoder to freeze or to part from its decoder in matching pursuit', () => {
    const without = NULL_NAMES.filter((name) => name !== 'permuted-decoder' && name !== 'frozen-encoder');
    expect(names({ dictionary: { family: 'pursuit', latents: 64 } })).toEqual(without);
  });

  it('are what the configuration names, in the order of the list, and what older ones said', () => {
    const read = (nulls: unknown) => parseConfig({ name: 'a', evaluation: { nulls } }).evaluation.nulls;
    expect(read(['pca', 'random', 'pca'])).toEqual(['random', 'pca']);
    expect(read(true)).toEqual(['random', 'reinitialised']);
    expect(read(undefined)).toEqual(read('basic'));
    expect([read(false), read('none'), read([])]).toEqual([[], [], []]);
  });
});

describe('trained nulls', () => {
  const config = resolveTraining(
    withAll({ seed: 3, dictionary: { family: 'l1', latents: 64 } }),
    32,
    createReferenceBackend(),
  );
  const lessons = nullLessons(config, 'runs/a', true);

  it('are lessons of the same configuration in directories of their own, each with a seed of its own', () => {
    expect(lessons.map(({ asNull }) => asNull?.name)).toEqual(TRAINED);
    expect(lessons.map(({ dir }) => dir)).toEqual(
      TRAINED.map((name) => nullDirectory('runs/a', name as 'shuffled')),
    );
    const seeds = new Set([config, ...lessons.map((lesson) => lesson.config)].map(({ seed }) => seed));
    expect(seeds.size).toBe(5);
    expect(lessons.every(({ config: { dictionary } }) => dictionary === config.dictionary)).toBe(true);
    const other = nullLessons({ ...config, seed: 4 }, 'runs/a', true);
    expect(other[0].config.seed).not.toBe(lessons[0].config.seed);
  });

  it('resample no latent where something is frozen', () => {
    expect(config.training.resampleAt).not.toEqual([]);
    for (const { config: own, asNull } of lessons)
      expect(own.training.resampleAt).toEqual(asNull?.training.freeze ? [] : config.training.resampleAt);
  });

  it('count in the memory of a sweep', () => {
    const states = (nulls: readonly (typeof NULL_NAMES)[number][]) =>
      sweepMemory([{ ...config, evaluation: { ...config.evaluation, nulls } }], () => 32).states;
    expect(states(['frozen-decoder', 'shuffled'])).toBe(3 * states([]));
    expect(states(['soft-frozen-decoder'])).toBe(2 * states([]) + 4 * 64 * 32);
  });
});
