import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALIBRATION } from '../../../src/evaluation/verdict/calibration.ts';
import { fitVerdict, type KnownLatent } from '../../../src/evaluation/verdict/fit.ts';
import { INPUTS } from '../../../src/evaluation/verdict/inputs.ts';
import { falseTail, probabilityOf, scoreOf, trueTail } from '../../../src/evaluation/verdict/model.ts';
import { calibrationError, reliability } from '../../../src/evaluation/verdict/reliability.ts';
import { verdictsOf } from '../../../src/evaluation/verdict/verdicts.ts';
import { Random } from '../../../src/math/random.ts';

/** Latents of `kinds` kinds of worlds, whose first input tells true from false and whose second does not. */
function latentsOf(kinds: number, perKind: number, seed: number): KnownLatent[] {
  const random = new Random(seed, 'latents');
  return Array.from({ length: kinds * perKind }, (_, i) => {
    const isTrue = random.uniform() < 0.6;
    return {
      kind: `kind ${i % kinds}`,
      world: `world ${i % kinds}`,
      inputs: [10 + 3 * (random.normal() + (isTrue ? 2.5 : 0)), random.normal()],
      isTrue,
      remainder: isTrue ? 0.2 * random.uniform() : 0.4,
      ofNull: false,
    };
  });
}

const model = fitVerdict(['tells', 'does not'], latentsOf(5, 400, 1));

describe('a verdict fitted on known latents', () => {
  test('rests on what tells, and orders by it', () => {
    expect(model.slopes[0]).toBeGreaterThan(5 * Math.abs(model.slopes[1]));
    expect(scoreOf(model, [18, 0])).toBeGreaterThan(scoreOf(model, [10, 0]));
    expect(scoreOf(model, [NaN, 0])).toBeNaN();
  });

  test('its probabilities come true on latents that it never saw', () => {
    const fresh = latentsOf(1, 2000, 2);
    const probabilities = fresh.map(({ inputs }) => probabilityOf(model, scoreOf(model, inputs)));
    const bins = reliability(
      probabilities,
      fresh.map(({ isTrue }) => isTrue),
    );
    expect(calibrationError(bins)).toBeLessThan(0.05);
  });

  test('tails are shares of false and of true latents, and never 0', () => {
    const fresh = latentsOf(1, 2000, 3);
    const scores = (isTrue: boolean) =>
      fresh.filter((one) => one.isTrue === isTrue).map(({ inputs }) => scoreOf(model, inputs));
    const [falses, trues] = [scores(false), scores(true)];
    const at = scoreOf(model, [14, 0]);
    const share = (of: number[], beyond: (score: number) => boolean) => of.filter(beyond).length / of.length;
    expect(falseTail(model, at)).toBeCloseTo(
      share(falses, (score) => score >= at),
      1,
    );
    expect(trueTail(model, at)).toBeCloseTo(
      share(trues, (score) => score <= at),
      1,
    );
    expect(falseTail(model, 1e6)).toBeGreaterThan(0);
    expect(falseTail(model, 1e6)).toBeLessThan(0.01);
    expect(trueTail(model, -1e6)).toBeGreaterThan(0);
  });

  test('of the supported at most about the level is false, and most of the true are supported', () => {
    const level = 0.1;
    let [supported, wrong, found, all] = [0, 0, 0, 0];
    for (let seed = 10; seed < 40; seed++) {
      const fresh = latentsOf(1, 200, seed);
      const scores = Float64Array.from(fresh, ({ inputs }) => scoreOf(model, inputs));
      const { verdict } = verdictsOf(model, scores, level);
      fresh.forEach(({ isTrue }, j) => {
        all += Number(isTrue);
        if (verdict[j] !== 'supported') return;
        supported++;
        if (isTrue) found++;
        else wrong++;
      });
    }
    expect(wrong / supported).toBeLessThan(0.13);
    expect(found / all).toBeGreaterThan(0.8);
  });

  test('three kinds are needed', () => {
    expect(() => fitVerdict(['a', 'b'], latentsOf(2, 50, 1))).toThrow(/3 kinds/);
  });
});

test('what was fitted is of the inputs that are made', () => {
  expect(CALIBRATION.inputs).toEqual(INPUTS);
  for (const of of [CALIBRATION.means, CALIBRATION.deviations, CALIBRATION.slopes])
    expect(of).toHaveLength(INPUTS.length);
});

test('a latent of which nothing is known is undecided, and the others are judged as if it were not there', () => {
  const scores = Float64Array.from(latentsOf(1, 60, 5), ({ inputs }) => scoreOf(model, inputs));
  const without = verdictsOf(model, scores, 0.1);
  const withUnknown = verdictsOf(model, Float64Array.from([NaN, ...scores, NaN]), 0.1);
  expect(withUnknown.verdict.slice(1, -1)).toEqual(without.verdict);
  expect(withUnknown.verdict[0]).toBe('undecided');
  expect(withUnknown.probability[0]).toBeNaN();
  expect(withUnknown.trueShare).toBe(without.trueShare);
});

test('a latent that lies between two of a wider dictionary is not supported, whatever its score; nothing else changes', () => {
  const fresh = latentsOf(1, 200, 6);
  const scores = Float64Array.from(fresh, ({ inputs }) => scoreOf(model, inputs));
  const plain = verdictsOf(model, scores, 0.1);
  expect(model.mostRemainder).toBeGreaterThan(0.18);
  expect(model.mostRemainder).toBeLessThan(0.2);
  const judged = verdictsOf(
    model,
    scores,
    0.1,
    Float64Array.from(fresh, (_, j) => [0.1, 0.5, NaN][j % 3]),
  );
  expect(judged.probability).toEqual(plain.probability);
  plain.verdict.forEach((verdict, j) => {
    const vetoed = verdict === 'supported' && j % 3 === 1;
    expect(judged.verdict[j]).toBe(vetoed ? 'undecided' : verdict);
  });
  expect(plain.verdict.filter((verdict) => verdict === 'supported').length).toBeGreaterThan(60);
});

test('a higher score is never judged worse', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 }),
      (list) => {
        const { verdict, probability } = verdictsOf(model, Float64Array.from(list), 0.1);
        const rank = { unsupported: 0, undecided: 1, supported: 2 };
        for (const [i, a] of list.entries())
          for (const [j, b] of list.entries()) {
            if (a <= b) continue;
            expect(probability[i]).toBeGreaterThanOrEqual(probability[j]);
            expect(rank[verdict[i]]).toBeGreaterThanOrEqual(rank[verdict[j]]);
          }
      },
    ),
  );
});

test('reliability: bins, and the error of probabilities that are too sure', () => {
  const bins = reliability([0.05, 0.95, 0.95, 1], [0, 1, 0, 1]);
  expect(bins.map(({ count }) => count)).toEqual([1, 3]);
  expect(bins[1].observed).toBeCloseTo(2 / 3, 12);
  expect(calibrationError(bins)).toBeCloseTo(0.25 * 0.05 + 0.75 * (2.9 / 3 - 2 / 3), 12);
});
