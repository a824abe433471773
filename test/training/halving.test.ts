/** Only dominated arms stop, the most dominated first, and never more than may. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Contender, stopsAtRung } from '../../src/training/halving.ts';

const contender = fc.record({
  kind: fc.constantFrom('a', 'b'),
  recipe: fc.constantFrom('1', '2', '3', '4'),
  latents: fc.constantFrom(8, 16, 32),
  l0: fc.integer({ min: 1, max: 4 }),
  fvu: fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
});
const rule = fc.record({ keep: fc.constantFrom(0, 0.25, 0.5, 0.9, 1), margin: fc.constantFrom(0, 0.1) });

/** Said again, the slow way. */
const beats = (a: Contender, b: Contender, margin: number) =>
  a.kind === b.kind &&
  a.recipe !== b.recipe &&
  a.latents <= b.latents &&
  a.l0 <= b.l0 &&
  b.fvu - a.fvu > margin;

it('stops no arm that is not dominated, of these the worst, and keeps what it must', () => {
  fc.assert(
    fc.property(fc.array(contender, { maxLength: 12 }), rule, (contenders, { keep, margin }) => {
      const stopped = stopsAtRung(contenders, { keep, margin });
      const places = stopped.map(({ loser }) => loser);
      expect(new Set(places).size).toBe(places.length);
      expect(contenders.length - places.length).toBeGreaterThanOrEqual(keep * contenders.length - 1e-9);
      const gap = (i: number) =>
        Math.max(
          0,
          ...contenders.filter((a) => beats(a, contenders[i], margin)).map((a) => contenders[i].fvu - a.fvu),
        );
      for (const { loser, winner } of stopped) {
        expect(beats(contenders[winner], contenders[loser], margin)).toBe(true);
        expect(contenders[loser].fvu - contenders[winner].fvu).toBe(gap(loser));
      }
      const dominated = [...contenders.keys()].filter((i) =>
        contenders.some((a) => beats(a, contenders[i], margin)),
      );
      const most = Math.floor((1 - keep) * contenders.length + 1e-9);
      expect(places).toHaveLength(Math.min(most, dominated.length));
      const least = Math.min(...places.map(gap));
      for (const i of dominated) if (!places.includes(i)) expect(gap(i)).toBeLessThanOrEqual(least);
    }),
    { numRuns: 500 },
  );
});

it('leaves its other seeds alone, and what is sparser or smaller', () => {
  const one = { kind: 'a', recipe: 'r', latents: 16, l0: 4, fvu: 0.2 };
  const stops = (other: Partial<Contender>) =>
    stopsAtRung([one, { ...one, fvu: 0.9, recipe: 's', ...other }], { keep: 0.5, margin: 0.01 });
  expect(stops({})).toEqual([{ loser: 1, winner: 0 }]);
  expect(stops({ recipe: 'r' })).toEqual([]);
  expect(stops({ l0: 3.9 })).toEqual([]);
  expect(stops({ latents: 8 })).toEqual([]);
  expect(stops({ kind: 'b' })).toEqual([]);
  expect(stops({ fvu: 0.205 })).toEqual([]);
});
