/** Compression 2: does a network store fewer features per dimension when those that belong together fire together? */
import * as Plot from '@observablehq/plot';
import { pairAt } from '../math/pairList.ts';
import { Random } from '../math/random.ts';
import { spearman } from '../math/spearman.ts';
import { mean, quantile } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { distinctDirections } from '../toy/geometry/cosines.ts';
import { anticorrelatedSets, correlatedSets } from '../toy/sets.ts';
import type { Experiment } from './experiment.ts';
import { trainOnLaws } from './lawModels.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.05;
const SIZE = 4;
/** Strengths run from one firing at most, over independence, to all together. */
const FULL = {
  seeds: 4,
  permutations: 499,
  roomy: {
    sets: 16,
    hidden: 16,
    strengths: [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
    batch: 512,
    steps: 3000,
    learningRate: 3e-3,
  },
  crowded: {
    sets: 64,
    hidden: 16,
    strengths: [-1, -0.5, 0, 0.5, 1],
    batch: 256,
    steps: 2000,
    learningRate: 5e-3,
  },
};
const QUICK = {
  seeds: 3,
  permutations: 199,
  roomy: {
    sets: 8,
    hidden: 8,
    strengths: [-1, -0.5, 0, 0.5, 1],
    batch: 256,
    steps: 800,
    learningRate: 1e-2,
  },
  crowded: {
    sets: 32,
    hidden: 8,
    strengths: [-1, -0.5, 0, 0.5, 1],
    batch: 256,
    steps: 400,
    learningRate: 1e-2,
  },
};
type World = 'roomy' | 'crowded';

interface Point {
  world: World;
  seed: number;
  strength: number;
  /** Features with a norm above 1/2, per dimension. */
  stored: number;
  /** Their directions, per dimension: features with a cosine above .95 have one. */
  directions: number;
  /** Mean over all features of `sum_{j != i} (What_i . W_j)^2`. */
  interference: number;
  /** Over that of answering 0. */
  loss: number;
  /** Mean cosine of two features of a set, and of two of different sets. */
  within: number;
  across: number;
}

const NAMES = {
  stored: 'stored features per dimension',
  directions: 'distinct directions per dimension',
  interference: 'interference',
} as const;

export const compressionCorrelation: Experiment = {
  name: 'compression-correlation',
  title: 'Compression 2: more correlation, less superposition',
  claim:
    'Superposition falls as features become more correlated: the more the features of a set fire together, the fewer are stored in a ' +
    'dimension, and the less they interfere. Features that exclude each other are stored against each other, with negative cosines.',
  prediction:
    '64 features in sets of 4, 16 dimensions, each fires with probability .05; within sets from exclusive (-1) over independent (0) to all ' +
    'together (1): the rank correlation with that strength of stored features per dimension is at most -.7, and of interference at most -.7; at ' +
    '-1 the mean cosine within sets is at most -.1, and below that across sets by at least .1, where random sets have about 0; the loss there is at most .95 of that at 0. ' +
    'Added after a first run, in which all 64 were stored at every strength, and before this was run: of 256 features in 16 dimensions, ' +
    'where there is not room for all, the rank correlation of stored features is at most -.7.',
  source:
    'Elhage et al. 2022, arXiv 2209.10652, "Organization of correlated features"; the compression hypothesis of this project',
  minutes: 2,
  async run({ backend, quick, seed, update }) {
    const { seeds, permutations, roomy, crowded } = quick ? QUICK : FULL;
    const worlds = Object.entries({ roomy, crowded }) as [World, typeof roomy][];
    const costs = worlds.map(([, { sets, steps }]) => sets * steps);
    const points: Point[] = [];
    const exclusive: Float64Array[] = [];
    for (const [w, [world, { sets, strengths, ...size }]] of worlds.entries()) {
      const subjects = strengths.flatMap((strength, k) =>
        Array.from({ length: seeds }, (_, s) => ({
          law: lawOf(sets, strength),
          strength,
          own: s,
          seed: (seed * seeds + s) * strengths.length + k,
        })),
      );
      const models = await trainOnLaws(backend, subjects, size, (step) =>
        update((w === 0 ? 0 : costs[0]) + sets * step, costs[0] + costs[1]),
      );
      for (const [i, { loss, geometry, stored, cosines }] of models.entries()) {
        const { own, strength } = subjects[i];
        points.push({
          world,
          seed: own,
          strength,
          stored: stored.length / size.hidden,
          directions: distinctDirections(cosines, stored) / size.hidden,
          interference: mean(geometry.interference),
          loss: loss / (PROBABILITY / 3),
          ...cosinesBySet(cosines, setsOf(sets)),
        });
        if (world === 'roomy' && strength === -1) exclusive.push(cosines);
      }
    }

    const eachSeed = (of: (own: Point[]) => number, from: World = 'roomy') =>
      Array.from({ length: seeds }, (_, s) =>
        of(points.filter((point) => point.world === from && point.seed === s)),
      );
    const at = (own: Point[], strength: number) => own.find((point) => point.strength === strength)!;
    const rank = (key: 'stored' | 'interference') => (own: Point[]) =>
      rise(
        own.map(({ strength }) => strength),
        own.map((point) => point[key]),
      );
    const random = new Random(seed, 'compression-correlation', 'random sets');
    const setOf = setsOf(roomy.sets);
    const randomSets = Array.from({ length: permutations }, () =>
      mean(
        exclusive.map((cosines) => {
          const order = random.permutation(setOf.length);
          return cosinesBySet(
            cosines,
            Array.from(order, (place) => setOf[place]),
          ).within;
        }),
      ),
    );
    const findings = [
      overSeeds('rank correlation of stored features with strength', eachSeed(rank('stored')), {
        predicted: { high: -0.7 },
      }),
      overSeeds('rank correlation of interference with strength', eachSeed(rank('interference')), {
        predicted: { high: -0.7 },
      }),
      overSeeds(
        'rank correlation of stored features with strength, n/m = 16',
        eachSeed(rank('stored'), 'crowded'),
        { predicted: { high: -0.7 } },
      ),
      overSeeds(
        'rank correlation of interference with strength, n/m = 16',
        eachSeed(rank('interference'), 'crowded'),
      ),
      overSeeds(
        'mean cosine within sets at strength -1',
        eachSeed((own) => at(own, -1).within),
        {
          predicted: { high: -0.1 },
          null: {
            name: 'random sets',
            value: mean(randomSets),
            low: quantile(randomSets, 0.025),
            high: quantile(randomSets, 0.975),
          },
        },
      ),
      overSeeds(
        'mean cosine within sets less that across, at strength -1',
        eachSeed((own) => at(own, -1).within - at(own, -1).across),
        { predicted: { high: -0.1 } },
      ),
      overSeeds(
        'loss at strength -1 over that at 0',
        eachSeed((own) => at(own, -1).loss / at(own, 0).loss),
        { predicted: { high: 0.95 } },
      ),
      overSeeds(
        'loss at strength 1 over that at 0',
        eachSeed((own) => at(own, 1).loss / at(own, 0).loss),
      ),
      ...worlds.flatMap(([world, { sets, hidden }]) =>
        [-1, 0, 1].flatMap((strength) =>
          (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((key) =>
            overSeeds(
              `${NAMES[key]} at strength ${strength}, n/m = ${(sets * SIZE) / hidden}`,
              eachSeed((own) => at(own, strength)[key], world),
            ),
          ),
        ),
      ),
      ...worlds.map(([world, { sets, hidden }]) =>
        overSeeds(
          `mean cosine within sets at strength 1, n/m = ${(sets * SIZE) / hidden}`,
          eachSeed((own) => at(own, 1).within, world),
        ),
      ),
    ];
    const draw = (
      name: string,
      caption: string,
      world: World,
      lines: Partial<Record<keyof Point, string>>,
    ) => {
      const data = points
        .filter((point) => point.world === world)
        .flatMap((point) =>
          Object.entries(lines).map(([key, line]) => ({
            seed: point.seed,
            strength: point.strength,
            line,
            value: point[key as keyof Point],
          })),
        );
      return figure(name, caption, data, {
        x: { label: 'strength: exclusive, independent, all together' },
        y: { label: null, grid: true },
        color: { domain: Object.values(lines), range: COLOURS },
        marks: [
          Plot.line(data, Plot.groupX({ y: 'mean' }, { x: 'strength', y: 'value', stroke: 'line' })),
          Plot.dot(data, { x: 'strength', y: 'value', stroke: 'line', r: 2 }),
        ],
      });
    };
    const figures = [
      draw(
        'superposition',
        'Features stored per dimension, and the interference of a feature, against strength: four features to a dimension.',
        'roomy',
        { stored: NAMES.stored, interference: NAMES.interference },
      ),
      draw(
        'crowded',
        'The same with sixteen features to a dimension, and how many directions the stored have: one where the cosine is above .95.',
        'crowded',
        NAMES,
      ),
      draw(
        'cosines',
        'Mean cosine of two features of a set, and of two of different sets, against strength: four features to a dimension.',
        'roomy',
        { within: 'within sets', across: 'across sets' },
      ),
    ];
    return { findings, figures, ...judge(findings) };
  },
};

function lawOf(sets: number, strength: number): FiringLaw {
  const options = { sets, size: SIZE, probability: PROBABILITY, amplitudes: UNIT_UNIFORM };
  return strength < 0
    ? anticorrelatedSets({ ...options, strength: -strength })
    : correlatedSets({ ...options, strength });
}

/** The set of each feature. */
function setsOf(sets: number): number[] {
  return Array.from({ length: sets * SIZE }, (_, i) => Math.floor(i / SIZE));
}

/** Spearman's rank correlation; what stays the same throughout does not rise or fall, and has 0. */
function rise(x: readonly number[], y: readonly number[]): number {
  return y.every((value) => value === y[0]) ? 0 : spearman(x, y);
}

/** Mean cosine of two features of one set, and of two of different sets; `setOf [features]`. */
export function cosinesBySet(
  cosines: Float64Array,
  setOf: readonly number[],
): { within: number; across: number } {
  const [within, across]: number[][] = [[], []];
  for (let i = 0; i < setOf.length; i++)
    for (let j = 0; j < i; j++) (setOf[i] === setOf[j] ? within : across).push(cosines[pairAt(i, j)]);
  return { within: mean(within), across: mean(across) };
}
