/** Toy models trained on the labels of firing laws, an instance each, for those experiments that compare laws. */
import type { Backend } from '../kernels/backend.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { pairCosines } from '../toy/geometry/cosines.ts';
import { type FeatureGeometry, featureGeometry } from '../toy/geometry/features.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';

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
    return { loss: losses[i], geometry: featureGeometry(rows), cosines: pairCosines(rows) };
  });
}
