/** What experiments on firing laws are made of, and one of them from end to end. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { compressionCooccurrence } from '../../src/experiments/compressionCooccurrence.ts';
import { compressionCorrelation, cosinesBySet } from '../../src/experiments/compressionCorrelation.ts';
import { compressionPrediction } from '../../src/experiments/compressionPrediction.ts';
import { EXPERIMENTS, experimentOf } from '../../src/experiments/index.ts';
import { trainOnLaws } from '../../src/experiments/lawModels.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { pairAt, pairList } from '../../src/math/pairList.ts';
import { entrySchema } from '../../src/runs/entrySchema.ts';
import { UNIT_UNIFORM } from '../../src/toy/amplitudes.ts';
import { independentFirings } from '../../src/toy/independent.ts';
import { exclusiveSets } from '../../src/toy/sets.ts';

const backend = loadBackend();

it('the experiments on co-occurrence can be asked for by name', () => {
  for (const one of [compressionCorrelation, compressionCooccurrence, compressionPrediction])
    expect(experimentOf(one.name)).toBe(one);
  expect(new Set(EXPERIMENTS.map(({ name }) => name)).size).toBe(EXPERIMENTS.length);
});

describe('trainOnLaws', () => {
  const probabilities = [0.1, 0.1, 0.1, 0.1];
  const pairs = exclusiveSets({
    probabilities: [
      [0.1, 0.1],
      [0.1, 0.1],
    ],
    amplitudes: UNIT_UNIFORM,
  });
  const independent = independentFirings({ probabilities, amplitudes: UNIT_UNIFORM });
  const size = { hidden: 2, batch: 128, steps: 400, learningRate: 0.02 };
  const nothing = () => {};

  it('trains each law from its own seed: same seeds, same bytes', async () => {
    const of = (seeds: readonly number[]) =>
      trainOnLaws(
        backend,
        seeds.map((seed) => ({ law: pairs, seed })),
        { ...size, steps: 20 },
        nothing,
      );
    const [first, twin, other] = await of([7, 7, 8]);
    expect(await of([7, 7, 8])).toEqual([first, twin, other]);
    expect(twin).toEqual(first);
    expect(other.cosines).not.toEqual(first.cosines);
  });

  it('stores pairs that exclude each other antipodally, in the best of restarts, at the lower loss', async () => {
    const seeds = Array.from({ length: 16 }, (_, seed) => seed);
    const best = async (law: typeof pairs) => {
      const models = await trainOnLaws(
        backend,
        seeds.map((seed) => ({ law, seed })),
        size,
        nothing,
      );
      return models.reduce((a, b) => (b.loss < a.loss ? b : a));
    };
    const [exclusive, free] = [await best(pairs), await best(independent)];
    expect(exclusive.cosines[pairAt(0, 1)]).toBeLessThan(-0.9);
    expect(exclusive.cosines[pairAt(2, 3)]).toBeLessThan(-0.9);
    expect(exclusive.loss).toBeLessThan(free.loss);
    expect(exclusive.geometry.represented).toBe(4);
  });

  it('says how far it has come', async () => {
    const said: number[] = [];
    await trainOnLaws(backend, [{ law: pairs, seed: 1 }], { ...size, steps: 20 }, (done, total) => {
      said.push(done / total);
    });
    expect(said[said.length - 1]).toBe(1);
    expect([...said].sort((a, b) => a - b)).toEqual(said);
  });
});

it('cosines by set are means over the pairs of one set, and over the others', () => {
  const cosines = pairList(4, (i, j) => (Math.floor(i / 2) === Math.floor(j / 2) ? -0.5 : (i + j) / 10));
  expect(cosinesBySet(cosines, [0, 0, 1, 1])).toEqual({
    within: -0.5,
    across: expect.closeTo((0.2 + 0.3 + 0.3 + 0.4) / 4, 12),
  });
  // Features 0 and 2, and 1 and 3.
  expect(cosinesBySet(cosines, [0, 1, 0, 1]).within).toBeCloseTo((0.2 + 0.4) / 2, 12);
});

it('compression 3 at reduced size: an entry, and what rarely fires together overlaps', async () => {
  const outcome = await compressionCooccurrence.run({ backend, quick: true, seed: 5, update: () => {} });
  const { findings, figures, verdict } = entrySchema.shape;
  z.object({ findings, figures, verdict }).parse(outcome);
  const [squared, percentile, signed] = outcome.findings;
  expect(squared.high!).toBeLessThan(squared.null!.low!);
  expect(percentile.value!).toBeLessThan(0.025);
  expect(signed.low!).toBeGreaterThan(signed.null!.high!);
});
