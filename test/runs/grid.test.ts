/** A grid becomes whole configurations with names that are unique and stay; faults are named by field. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/runs/config.ts';
import { parseGrid } from '../../src/runs/grid.ts';

const names = (value: unknown) => parseGrid(value).configs.map(({ name }) => name);

describe('expansion', () => {
  it('makes every combination, each the configuration that one would write by hand', () => {
    const { configs, name, halving } = parseGrid({
      name: 'both',
      base: { training: { tokens: 8192 }, dictionary: { latents: 64 } },
      grid: { 'dictionary.family': ['topk', 'batchtopk'], 'dictionary.k': [2, 4], seed: [0, 1] },
    });
    expect(name).toBe('both');
    expect(halving).toBeUndefined();
    expect(configs).toHaveLength(8);
    expect(configs[6]).toEqual(
      parseConfig({
        name: 'batchtopk-k4-seed0',
        training: { tokens: 8192 },
        dictionary: { family: 'batchtopk', latents: 64, k: 4 },
      }),
    );
  });

  it('takes families with fields of their own from arms, the grid for each', () => {
    expect(
      names({
        name: 'mixed',
        base: { dictionary: { latents: 64 } },
        arms: [
          { dictionary: { family: 'topk', k: 4 } },
          { dictionary: { family: 'relu', coefficient: 0.5 } },
          { hook: 'blocks.1.hook_mlp_in', target: { hook: 'blocks.1.hook_mlp_out', skip: true } },
        ],
        grid: { seed: [0, 1] },
      }),
    ).toEqual([
      'topk-k4-seed0',
      'topk-k4-seed1',
      'relu-coefficient0.5-seed0',
      'relu-coefficient0.5-seed1',
      'blocks.1.hook_mlp_in-blocks.1.hook_mlp_out-target.skiptrue-seed0',
      'blocks.1.hook_mlp_in-blocks.1.hook_mlp_out-target.skiptrue-seed1',
    ]);
  });

  it('names by what can stand in a path, unique and stable when values are added', () => {
    const value = fc.oneof(
      fc.nat(),
      fc.constantFrom('a/b', 'a_b', '..', '-x', 'a+b', ['a', 'b'], 'é'.repeat(80)),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(value, { minLength: 1, maxLength: 6, selector: JSON.stringify }),
        (hooks) => {
          const points = hooks
            .map(String)
            .map((hook, i) => (Array.isArray(hooks[i]) ? (hooks[i] as string[]) : hook));
          const all = names({ name: 's', grid: { hook: points, seed: [1, 2] } });
          expect(new Set(all).size).toBe(all.length);
          for (const name of all) expect(name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/);
          expect(all).toEqual(
            expect.arrayContaining(names({ name: 's', grid: { hook: points.slice(0, 1), seed: [2] } })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is one run where there is no list', () => {
    expect(names({ name: 'one' })).toEqual(['only']);
  });
});

describe('refusals', () => {
  it.each([
    ['a mistyped key', { name: 'a', gird: {} }, /unknown key "gird"; did you mean "grid"/],
    ['no name', {}, /name is missing/],
    ['a name that leaves the directory', { name: '../a' }, /name: found "\.\.\/a"/],
    ['a value that is no list', { name: 'a', grid: { seed: 1 } }, /grid\.seed: found 1, expected array/],
    ['an empty list', { name: 'a', grid: { seed: [] } }, /grid\.seed: found \[\]/],
    ['a mistyped field', { name: 'a', grid: { 'dictionary.familly': ['topk'] } }, /did you mean "family"/],
    ['a value that cannot be', { name: 'a', grid: { seed: [0, -1] } }, /arm seed-1: seed: found -1/],
    [
      'a field of another family',
      { name: 'a', grid: { 'dictionary.family': ['relu'], 'dictionary.k': [3] } },
      /"dictionary\.k"/,
    ],
    ['a name for arms', { name: 'a', base: { name: 'b' } }, /base\.name: found "b"/],
    ['a value that stands twice', { name: 'a', grid: { seed: [1, 2, 1] } }, /arms 1 and 3 are both seed1/],
    [
      'more than anyone means',
      { name: 'a', grid: { seed: Array.from({ length: 1001 }, (_, i) => i) } },
      /1,001 arms/,
    ],
    [
      'a rung after the end',
      { name: 'a', halving: { rungs: [1.5], keep: 0.5 } },
      /halving\.rungs\[0\]: found 1\.5/,
    ],
  ])('%s', (_, value, message) => {
    expect(() => parseGrid(value, 'grid.json')).toThrow(message);
    expect(() => parseGrid(value, 'grid.json')).toThrow(/^grid\.json/);
  });
});
