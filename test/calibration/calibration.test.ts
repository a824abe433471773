import { describe, expect, test } from 'vitest';
import { type Subject, subjectsOf } from '../../src/calibration/cases.ts';
import { calibrationOverSeeds, overSeeds, testHeldOut } from '../../src/calibration/heldOut.ts';
import { WORLD_KINDS } from '../../src/calibration/worlds.ts';
import { INPUTS } from '../../src/evaluation/verdict/inputs.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { Random } from '../../src/math/random.ts';

const backend = loadBackend();

describe('worlds', () => {
  test.each(Object.keys(WORLD_KINDS))(
    '%s: more directions than dimensions, all of them of unit length, few at a time',
    async (kind) => {
      const world = await WORLD_KINDS[kind](backend, 3);
      const rows = world.directions.length / world.width;
      expect(rows).toBeGreaterThan(1.9 * world.width);
      expect(world.expectedL0).toBeGreaterThan(1);
      expect(world.expectedL0).toBeLessThan(world.width / 4);
      for (let r = 0; r < rows; r++) {
        const row = world.directions.subarray(r * world.width, (r + 1) * world.width);
        expect(row.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 4);
      }
      const other = await WORLD_KINDS[kind](backend, 4);
      expect(other.directions).not.toEqual(world.directions);
    },
  );
});

test('a case: the trained dictionary finds features, what is random finds none, and every input is a number', async () => {
  const subjects = await subjectsOf(backend, 'independent', 1, { steps: 60 });
  expect(subjects.map(({ name }) => name)).toEqual([
    'trained',
    'random',
    'permuted-decoder',
    'frozen-decoder',
    'soft-frozen-decoder',
    'frozen-encoder',
    'shuffled',
  ]);
  for (const { name, inputs, isTrue, remainders } of subjects) {
    expect(remainders).toHaveLength(isTrue.length);
    expect(remainders.every((one) => one >= 0 && one <= 1)).toBe(true);
    expect(inputs).toHaveLength(isTrue.length * INPUTS.length);
    expect(inputs.every(Number.isFinite)).toBe(true);
    if (name === 'random' || name === 'permuted-decoder') expect(isTrue.every((one) => one === 0)).toBe(true);
  }
});

/** Subjects of five kinds, whose first input tells true from false; in the kind `odd` it tells them the wrong way round. */
function invented(odd: string): Subject[] {
  return ['a', 'b', 'c', 'd', odd].flatMap((kind) =>
    [0, 1, 2].map((seed): Subject => {
      const random = new Random(seed, kind);
      const isTrue = Array.from({ length: 150 }, () => Number(random.uniform() < 0.5));
      const sign = kind === 'odd' ? -1 : 1;
      return {
        kind,
        seed,
        name: 'trained',
        dictionary: { family: 'topk', latents: 150, k: 4 },
        latents: 150,
        features: 150,
        found: 75,
        inputs: isTrue.flatMap((one) =>
          INPUTS.map((_, i) => (i === 0 ? sign * 4 * (one - 0.5) : 0) + random.normal()),
        ),
        isTrue,
        remainders: isTrue.map(() => 0.1),
      };
    }),
  );
}

describe('the test on kinds left out', () => {
  test('where all kinds are alike, of the supported few are false and most of the true are among them', () => {
    const tested = testHeldOut(invented('e'), 0.1);
    const wrong = overSeeds(
      tested,
      (one) => one.falseSupported,
      (one) => one.supported,
    );
    expect(wrong.n).toBe(3);
    expect(wrong.value).toBeLessThan(0.15);
    const found = overSeeds(
      tested,
      (one) => one.supported - one.falseSupported,
      (one) => one.trues,
    );
    expect(found.low).toBeGreaterThan(0.7);
    expect(calibrationOverSeeds(tested).value).toBeLessThan(0.08);
  });

  test('a kind in which all is the other way round is judged wrongly, and it is seen', () => {
    const tested = testHeldOut(invented('odd'), 0.1).filter(({ subject }) => subject.kind === 'odd');
    const wrong = overSeeds(
      tested,
      (one) => one.falseSupported,
      (one) => one.supported,
    );
    expect(wrong.value).toBeGreaterThan(0.5);
    expect(calibrationOverSeeds(tested).value).toBeGreaterThan(0.3);
  });
});
