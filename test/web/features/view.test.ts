/** How the table of latents is looked at: addresses that come back, orders and filters against slow exact ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LATENT_CLASSES } from '../../../src/evaluation/composition/graph.ts';
import { VERDICTS } from '../../../src/evaluation/verdict/verdicts.ts';
import { type Judged, type Latents, NO_CODE } from '../../../web/src/features/latents.ts';
import { queryOf, rowsOf, SORTS, selectedIn, type View, viewOf } from '../../../web/src/features/view.ts';

const all = viewOf(new URLSearchParams());

function latentsOf(density: readonly number[], maxActivation = density): Latents {
  return {
    count: density.length,
    latent: Float64Array.from(density.keys()),
    density: Float64Array.from(density),
    maxActivation: Float64Array.from(maxActivation),
    rowOf: new Map(density.map((_, i) => [i, i])),
  };
}

describe('the view in an address', () => {
  const finite = fc.option(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    { nil: undefined },
  );
  const view: fc.Arbitrary<View> = fc.record({
    query: fc.string(),
    sort: fc.constantFrom(...SORTS),
    descending: fc.boolean(),
    verdict: fc.option(fc.constantFrom(...VERDICTS), { nil: undefined }),
    latentClass: fc.option(fc.constantFrom(...LATENT_CLASSES), { nil: undefined }),
    min: finite,
    max: finite,
    box: fc.option(fc.record({ x0: fc.integer(), y0: fc.integer(), x1: fc.integer(), y1: fc.integer() }), {
      nil: undefined,
    }),
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(view, fc.nat(), (one, at) => {
        const query = new URLSearchParams(queryOf(one, at));
        // By match there is no other way round.
        expect(viewOf(query)).toEqual({ ...one, descending: one.sort === 'match' ? false : one.descending });
        expect(selectedIn(query)).toBe(at);
      }),
    );
  });

  it('is all latents by number where nothing is said, or nothing that can be read', () => {
    expect(queryOf(all)).toEqual({});
    const hostile = 'sort=constructor&verdict=x&class=<b>&min=NaN&max=1e999&box=1,2,3&at=';
    expect(viewOf(new URLSearchParams(hostile))).toEqual(all);
    expect(selectedIn(new URLSearchParams(hostile))).toBeUndefined();
  });
});

describe('the rows of a view', () => {
  const key = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.constant(Number.NaN),
    fc.constant(Number.NEGATIVE_INFINITY),
  );

  it('are in order, equals by number, and what is not known last whichever way', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 40 }), fc.boolean(), (keys, descending) => {
        const rows = rowsOf({ ...all, sort: 'max', descending }, latentsOf(keys), {});
        const known = keys.flatMap((value, row) => (Number.isNaN(value) ? [] : [{ value, row }]));
        const unknown = keys.flatMap((value, row) => (Number.isNaN(value) ? [row] : []));
        const sign = descending ? -1 : 1;
        known.sort((a, b) => (a.value === b.value ? a.row - b.row : sign * (a.value < b.value ? -1 : 1)));
        expect([...rows]).toEqual([...known.map(({ row }) => row), ...unknown]);
      }),
    );
  });

  it('keep the order of matches among equals', () => {
    const rows = rowsOf({ ...all, sort: 'density' }, latentsOf([0.2, 0.1, 0.2]), {}, Uint32Array.of(2, 0, 1));
    expect([...rows]).toEqual([1, 2, 0]);
    expect([...rowsOf(all, latentsOf([0.2, 0.1, 0.2]), {}, Uint32Array.of(2, 0))]).toEqual([2, 0]);
  });

  it('have the density, verdict, class and place that are asked for', () => {
    const latents = latentsOf([0, 0.1, 0.2, 0.3]);
    const judged: Judged = {
      verdict: Uint8Array.of(0, 1, 0, NO_CODE),
      latentClass: Uint8Array.of(8, 8, 2, 2),
      probability: new Float64Array(4),
    };
    const places = { x: Float64Array.of(0, 1, Number.NaN, 2), y: Float64Array.of(0, 1, 1, 2) };
    const of = (view: Partial<View>) => [...rowsOf({ ...all, ...view }, latents, judged, undefined, places)];
    expect(of({ min: 0.1, max: 0.2 })).toEqual([1, 2]);
    expect(of({ verdict: 'supported' })).toEqual([0, 2]);
    expect(of({ latentClass: 'dense' })).toEqual([2, 3]);
    expect(of({ verdict: 'supported', latentClass: 'atom' })).toEqual([0]);
    expect(of({ box: { x0: 1, y0: 0, x1: 2, y1: 1 } })).toEqual([1]);
    expect(of({ sort: 'verdict', descending: true })).toEqual([1, 0, 2, 3]);
  });

  it('show nothing where a verdict is asked for that nobody has given', () => {
    expect(rowsOf({ ...all, verdict: 'supported' }, latentsOf([1, 2]), {})).toHaveLength(0);
  });
});
