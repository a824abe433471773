/**
 * Toy models trained on the labels of firing laws, an instance each, and what else those experiments share that set lifts
 * beside geometry. It must not know what any of them claims.
 */
import type { Backend } from '../kernels/backend.ts';
import type { MantelTest } from '../math/mantel.ts';
import { Random } from '../math/random.ts';
import { mean } from '../math/statistics.ts';
import type { Finding } from '../runs/entrySchema.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { lowRankFirings, randomLoadings } from '../toy/copula.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { pairCosines } from '../toy/geometry/cosines.ts';
import { type FeatureGeometry, featureGeometry } from '../toy/geometry/features.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';

/** A feature is stored where its norm exceeds this. */
const STORED = 0.5;

export interface LawModelSize {
  readonly hidden: number;
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
}

export interface LawModel {
  /** Mean squared error over features, over the last tenth of the steps. */
  readonly loss: number;
  readonly geometry: FeatureGeometry;
  /** Features with a norm above 1/2, ascending. */
  readonly stored: readonly number[];
  /** Of each pair of features, as `math/pairList.ts` has it. */
  readonly cosines: Float64Array;
}

/** One ReLU model for each law, all of as many features; weights and samples of each from the seed beside it. */
export async function trainOnLaws(
  backend: Backend,
  subjects: readonly { law: FiringLaw; seed: number }[],
  { hidden, batch, steps, learningRate }: LawModelSize,
  update: (done: number, total: number) => void,
): Promise<LawModel[]> {
  const { features } = subjects[0].law.plan;
  const { model, log } = await trainToyModels(backend, {
    ...ELHAGE,
    architecture: reluOutput(features, hidden),
    batch,
    steps,
    learningRate,
    schedule: { kind: 'linear', warmupSteps: 0 },
    instances: subjects.map(({ seed }) => ({ seed, importance: 1 })),
    inputs: {
      kind: 'world',
      draw: (step) =>
        Promise.all(
          subjects.map(
            async ({ law, seed }) => (await drawLaw(backend, law, seed, (step - 1) * batch, batch)).labels,
          ),
        ),
    },
    logEvery: Math.ceil(steps / 10),
    onLog: ({ step }) => update(step, steps),
  });
  const { losses } = log[log.length - 1];
  return subjects.map((_, i) => {
    const rows = { values: encoderOf(model, i), features, hidden };
    const geometry = featureGeometry(rows);
    const stored = [...geometry.norms.keys()].filter((feature) => geometry.norms[feature] > STORED);
    return { loss: losses[i], geometry, stored, cosines: pairCosines(rows) };
  });
}

const RANK = 4;
/** Standard deviation of a loading: rows so long that lifts run from near 0 to ten. */
const SCALE = 0.45;

/** Features that fire with `probability`, amplitudes uniform in (0, 1], coupled by a copula of rank 4 with random loadings. */
export function randomCopula(features: number, probability: number, seed: number): FiringLaw {
  return lowRankFirings({
    probabilities: new Float64Array(features).fill(probability),
    loadings: randomLoadings(features, RANK, SCALE, new Random(seed, 'random copula', 'loadings')),
    rank: RANK,
    amplitudes: UNIT_UNIFORM,
  });
}

/** The null of a finding from a test for each seed: their mean, and the mean of their intervals, that of one seed. */
export function permutedFeatures(tests: readonly MantelTest[]): NonNullable<Finding['null']> {
  return {
    name: 'permuted features',
    value: mean(tests.map((test) => test.null.value)),
    low: mean(tests.map((test) => test.null.low)),
    high: mean(tests.map((test) => test.null.high)),
  };
}
