/** When curves speak for an L0: never at an end, never where they are flat, never one kind of evidence alone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Curve, findOptimum, type Optimum } from '../../../src/evaluation/sparsity/optimum.ts';
import {
  CRITERIA,
  type Criterion,
  type Curves,
  propose,
  readSparsity,
} from '../../../src/evaluation/sparsity/proposal.ts';
import { Random } from '../../../src/math/random.ts';

const L0 = [4, 5, 6, 7, 8, 10, 12, 14, 17, 20];

/** A curve for three seeds: a function of L0 with noise of a standard deviation. */
const curve = (of: (l0: number) => number, sd: number, seed: number): Curve => {
  const random = new Random(seed, 'noise');
  return { l0: L0, values: L0.map((l0) => [0, 1, 2].map(() => of(l0) + sd * random.normal())) };
};
const valley = (at: number) => (l0: number) => Math.abs(Math.log(l0 / at));
const find = (one: Curve) => findOptimum(one, new Random(0, 'bootstrap'));

describe('an optimum', () => {
  test('is found where a valley is, with the point in its interval', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: L0.length - 2 }), fc.integer(), (place, seed) => {
        const found = find(curve(valley(L0[place]), 0.01, Math.abs(seed)));
        if (found.kind === 'none') throw new Error(found.why);
        expect(found.l0).toBe(L0[place]);
        expect(found.low).toBeLessThan(found.l0);
        expect(found.high).toBeGreaterThan(found.l0);
        expect(found.low).toBeGreaterThanOrEqual(L0[place - 1]);
        expect(found.high).toBeLessThanOrEqual(L0[place + 1]);
        expect(found.dip.low).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test('is none at an end, whichever way and however steep', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, -1), fc.double({ min: 0.1, max: 50, noNaN: true }), (sign, slope) => {
        const found = find(curve((l0) => sign * slope * Math.log(l0), 0.001, 1));
        expect(found).toMatchObject({ kind: 'none', why: expect.stringContaining('end of the sweep') });
      }),
    );
  });

  test('is none of noise alone, but for about one in twenty', () => {
    let found = 0;
    for (let seed = 0; seed < 400; seed++) if (find(curve(() => 0, 1, seed)).kind === 'optimum') found++;
    expect(found / 400).toBeLessThan(0.05);
  });

  test('is none where a valley is shallower than seeds differ', () => {
    let found = 0;
    for (let seed = 0; seed < 200; seed++)
      if (find(curve((l0) => 0.1 * valley(8)(l0), 1, seed)).kind === 'optimum') found++;
    expect(found / 200).toBeLessThan(0.06);
  });

  test('may stand beside what is not reached, and points that are not defined are left out', () => {
    const walled = L0.map((l0) => [0, 1, 2].map((s) => (l0 < 8 ? Infinity : l0 + 0.01 * s)));
    expect(find({ l0: L0, values: walled })).toMatchObject({ kind: 'optimum', l0: 8 });
    const partly = L0.map((l0) => [0, 1, 2].map((s) => (l0 > 14 ? Number.NaN : valley(14)(l0) + 0.01 * s)));
    expect(find({ l0: L0, values: partly })).toMatchObject({ kind: 'none' });
    const nowhere = L0.map(() => [Infinity, Infinity, Infinity]);
    expect(find({ l0: L0, values: nowhere }).kind).toBe('none');
  });

  test('takes three seeds and five points', () => {
    const few = curve(valley(8), 0.01, 0);
    expect(find({ l0: L0, values: few.values.map((at) => at.slice(0, 2)) }).kind).toBe('none');
    expect(find({ l0: L0.slice(2, 6), values: few.values.slice(2, 6) }).kind).toBe('none');
    expect(find({ l0: [], values: [] }).kind).toBe('none');
  });
});

const none: Optimum = { kind: 'none', why: 'flat' };
const at = (l0: number, spread = 1.05): Optimum => ({
  kind: 'optimum',
  l0,
  low: l0 / spread,
  high: l0 * spread,
  dip: { value: 1, low: 0.5, high: 1.5 },
});
const silent = Object.fromEntries(CRITERIA.map((criterion) => [criterion, none])) as Record<
  Criterion,
  Optimum
>;

describe('a proposal', () => {
  test('takes one of each kind: decoder, cost, seeds', () => {
    const optima = fc.record(
      Object.fromEntries(CRITERIA.map((criterion) => [criterion, fc.boolean()])) as Record<
        Criterion,
        fc.Arbitrary<boolean>
      >,
    );
    fc.assert(
      fc.property(optima, (speaks) => {
        const given = Object.fromEntries(
          CRITERIA.map((criterion) => [criterion, speaks[criterion] ? at(11) : none]),
        ) as Record<Criterion, Optimum>;
        const enough =
          (speaks.decoderCosine || speaks.projection) &&
          (speaks.descriptionLength || speaks.knee) &&
          speaks.consensus;
        const proposal = propose(given);
        expect(proposal.kind).toBe(enough ? 'identified' : 'not identified');
        if (proposal.kind !== 'identified') return;
        expect(proposal.l0).toBeCloseTo(11, 9);
        expect(new Set(proposal.agreeing)).toEqual(new Set(CRITERIA.filter((one) => speaks[one])));
      }),
    );
  });

  test('its interval holds the intervals of all that agree, and those that do not agree are left out', () => {
    const proposal = propose({
      ...silent,
      decoderCosine: at(11),
      projection: at(17),
      descriptionLength: at(12),
      consensus: at(10.5),
    });
    if (proposal.kind !== 'identified') throw new Error(proposal.why);
    expect(new Set(proposal.agreeing)).toEqual(new Set(['decoderCosine', 'descriptionLength', 'consensus']));
    expect(proposal.low).toBeCloseTo(10.5 / 1.05, 9);
    expect(proposal.high).toBeCloseTo(12 * 1.05, 9);
    expect(proposal.l0).toBeCloseTo(Math.cbrt(11 * 12 * 10.5), 9);
  });

  test('optima apart by more than 15 % from their middle are no proposal, unless an interval reaches it', () => {
    const apart = { ...silent, decoderCosine: at(8), knee: at(11.5), consensus: at(16) };
    expect(propose(apart).kind).toBe('not identified');
    const close = { ...silent, decoderCosine: at(10.2), knee: at(11.5), consensus: at(12.5) };
    expect(propose(close).kind).toBe('identified');
    const wide = { ...silent, decoderCosine: at(9, 1.22), knee: at(11.5), consensus: at(12.5) };
    expect(propose(wide).kind).toBe('identified');
  });

  test('an interval that is too wide agrees with nothing, and is named', () => {
    const proposal = propose({ ...silent, decoderCosine: at(11, 1.4), knee: at(11), consensus: at(11) });
    if (proposal.kind === 'identified') throw new Error('identified');
    expect(proposal.why).toContain('c_dec: its interval is too wide');
    expect(proposal.why).toContain('s_n: flat');
  });
});

describe('a sweep', () => {
  const distortions = Array.from({ length: 10 }, (_, i) => 0.4 * 0.7 ** i);
  const flat = curve(() => 0, 1, 5);
  const curves = (length: (fvu: number) => (l0: number) => number): Curves => ({
    decoderCosine: curve(valley(10), 0.01, 1),
    projection: flat,
    knee: flat,
    consensus: curve(valley(12), 0.01, 2),
    descriptionLength: distortions.map((fvu, i) => ({ fvu, ...curve(length(fvu), 0.01, 10 + i) })),
  });

  test('a description length that stays put is evidence, one that follows the distortion is not', () => {
    const steady = readSparsity(
      curves(() => valley(12)),
      0,
    );
    expect(steady.optima.descriptionLength).toMatchObject({ kind: 'optimum', l0: expect.closeTo(12, 9) });
    expect(steady.proposal.kind).toBe('identified');
    expect(distortions).toContain(steady.distortion);
    const following = readSparsity(
      curves((fvu) => valley(5 * (0.4 / fvu) ** 0.6)),
      0,
    );
    expect(following.optima.descriptionLength).toMatchObject({
      kind: 'none',
      why: expect.stringContaining('follows the distortion'),
    });
    expect(following.proposal.kind).toBe('not identified');
  });

  test('the same seed, the same reading', () => {
    const given = curves(() => valley(12));
    expect(readSparsity(given, 3)).toEqual(readSparsity(given, 3));
  });
});
