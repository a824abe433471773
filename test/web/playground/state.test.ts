/** Addresses and states, also of addresses that somebody made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../web/src/playground/presets.ts';
import {
  DEFAULTS,
  formatState,
  importances,
  logEvery,
  normalise,
  type PlaygroundState,
  parseState,
  RANGES,
  toyKey,
} from '../../../web/src/playground/state.ts';

const anything = fc.record({
  ...Object.fromEntries(Object.keys(RANGES).map((name) => [name, fc.double()])),
  shown: fc.option(fc.double(), { nil: undefined }),
  halted: fc.option(fc.double({ min: -10, max: 30_000 }), { nil: undefined }),
  device: fc.constantFrom(undefined, 'wasm', 'webgpu'),
  dictionary: fc.constantFrom(undefined, 'topk', 'l1'),
}) as unknown as fc.Arbitrary<PlaygroundState>;

describe('normalise', () => {
  it('gives a state within its ranges, and changes nothing of one that is', () => {
    fc.assert(
      fc.property(anything, (wanted) => {
        const { state } = normalise(wanted);
        for (const [name, { low, high, whole }] of Object.entries(RANGES)) {
          const value = state[name as keyof typeof RANGES];
          expect(value).toBeGreaterThanOrEqual(low);
          expect(value).toBeLessThanOrEqual(high);
          if (whole) expect(Number.isInteger(value)).toBe(true);
        }
        if (state.correlation < 0) expect(state.probability * state.setSize).toBeLessThanOrEqual(1);
        if (state.halted !== undefined) expect(state.halted % logEvery(state)).toBe(0);
        expect(state.k).toBeLessThanOrEqual(state.latents);
        expect(normalise(state)).toEqual({ state, notes: [] });
      }),
    );
  });

  it('says what it had to change', () => {
    expect(normalise({ ...DEFAULTS, features: 1000 }).notes).toEqual(['n is from 2 to 80: 80 was taken.']);
    const exclusive = normalise({ ...DEFAULTS, correlation: -0.5, setSize: 3, probability: 0.9 });
    expect(exclusive.state.probability).toBe(0.3333);
    expect(exclusive.notes).toEqual([
      'Of 3 features that exclude each other, each can fire 0.3333 of the time at most.',
    ]);
  });
});

describe('an address', () => {
  it('says all of a state', () => {
    fc.assert(
      fc.property(anything, (wanted) => {
        const { state } = normalise(wanted);
        const told = parseState(new URLSearchParams(formatState(state).toString()));
        const kept =
          state.dictionary === undefined
            ? { ...state, latents: DEFAULTS.latents, k: DEFAULTS.k, penalty: DEFAULTS.penalty }
            : state;
        expect(told).toEqual({ state: kept, notes: [] });
      }),
    );
  });

  it('of any kind gives a state that can be trained', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('n', 'm', 'p', 'set', 'k', 'at', 'model', 'device', 'dictionary', 'seed'),
          fc.string(),
        ),
        (made) => {
          const { state } = parseState(new URLSearchParams(made));
          expect(normalise(state)).toEqual({ state, notes: [] });
        },
      ),
    );
    expect(parseState(new URLSearchParams('n=-3&p=NaN&seed=1e99&device=toaster')).state).toEqual({
      ...DEFAULTS,
      features: 2,
      seed: 999_999,
    });
  });
});

it('only what changes the models changes their key', () => {
  expect(toyKey({ ...DEFAULTS, shown: 3, dictionary: 'topk', latents: 9 })).toBe(toyKey(DEFAULTS));
  expect(toyKey({ ...DEFAULTS, seed: 2 })).not.toBe(toyKey(DEFAULTS));
});

it('importances fall by the same factor from 1 to the last', () => {
  const values = importances({ ...DEFAULTS, importance: 0.6561 });
  Array.from(values).forEach((value, i) => {
    expect(value).toBeCloseTo(0.9 ** i, 6);
  });
});

it('presets are states as they are', () => {
  for (const { state } of PRESETS) expect(normalise(state)).toEqual({ state, notes: [] });
});
