/** Compression 2: does a network store fewer features per dimension when those that belong together fire together? */
import * as Plot from '@observablehq/plot';
import { pairAt } from '../math/pairList.ts';
import { Random } from '../math/random.ts';
import { spearman } from '../math/spearman.ts';
import { mean, quantile } from '../math/statistics.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { anticorrelatedSets, correlatedSets } from '../toy/sets.ts';
import type { Experiment } from './experiment.ts';
import { COLOURS, figure } from './figure.ts';
import { trainOnLaws } from './lawModels.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.05;
const SIZE = 4;
/** From one firing at most, over independence, to all together. */
const FULL = {
  seeds: 5,
  sets: 16,
  hidden: 16,
  strengths: [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
  batch: 512,
  steps: 3000,
  learningRate: 3e-3,
  permutations: 499,
};
const QUICK = {
  seeds: 3,
  sets: 8,
  hidden: 8,
  strengths: [-1, -0.5, 0, 0.5, 1],
  batch: 256,
  steps: 800,
  learningRate: 1e-2,
  permutations: 199,
};

interface Point {
  seed: number;
  strength: number;
  /** Features with a norm above 1/2, per dimension. */
  stored: number;
  /** Mean over all features of `sum_{j != i} (What_i . W_j)^2`. */
  interference: number;
  /** Over that of answering 0. */
  loss: number;
  /** Mean cosine of two features of a set, and of two of different sets. */
  within: number;
  across: number;
}

export const compressionCorrelation: Experiment = {
  name: 'compression-correlation',
  title: 'Compression 2: more correlation, less superposition',
  claim:
    'Superposition falls as features become more correlated: the more the features of a set fire together, the fewer are stored in a ' +
    'dimension, and the less they interfere. Features that exclude each other are stored against each other, with negative cosines.',
  prediction:
    '64 features in sets of 4, 16 dimensions, each fires with probability .05; within sets from exclusive (-1) over independent (0) to all ' +
    'together (1): the rank correlation with that strength of stored features per dimension is at most -.7, and of interference at most -.7; at ' +
    '-1 the mean cosine within sets is at most -.1, and below that across sets by at least .1, where random sets have about 0; the loss there is at most .95 of that at 0.',
  source:
    'Elhage et al. 2022, arXiv 2209.10652, "Organization of correlated features"; the compression hypothesis of this project',
  async run({ backend, quick, seed, update }) {
    const { seeds, sets, strengths, permutations, ...size } = quick ? QUICK : FULL;
    const features = sets * SIZE;
    const subjects = strengths.flatMap((strength, k) =>
      Array.from({ length: seeds }, (_, s) => ({
        law: lawOf(sets, strength),
        strength,
        own: s,
        seed: (seed * seeds + s) * strengths.length + k,
      })),
    );
    const models = await trainOnLaws(backend, subjects, size, update);
    const setOf = Array.from({ length: features }, (_, i) => Math.floor(i / SIZE));
    const points = models.map(({ loss, geometry, cosines }, i): Point => {
      const { own, strength } = subjects[i];
      return {
        seed: own,
        strength,
        stored: geometry.represented / size.hidden,
        interference: mean(geometry.interference),
        loss: loss / (PROBABILITY / 3),
        ...cosinesBySet(cosines, setOf),
      };
    });

    const eachSeed = (of: (own: Point[]) => number) =>
      Array.from({ length: seeds }, (_, s) => of(points.filter((point) => point.seed === s)));
    const at = (own: Point[], strength: number) => own.find((point) => point.strength === strength)!;
    const rank = (key: keyof Point) =>
      eachSeed((own) =>
        spearman(
          own.map(({ strength }) => strength),
          own.map((point) => point[key]),
        ),
      );
    const exclusive = models.filter((_, i) => subjects[i].strength === -1);
    const random = new Random(seed, 'compression-correlation', 'random sets');
    const randomSets = Array.from({ length: permutations }, () =>
      mean(
        exclusive.map(({ cosines }) => {
          const order = random.permutation(features);
          return cosinesBySet(
            cosines,
            Array.from(order, (place) => setOf[place]),
          ).within;
        }),
      ),
    );
    const findings = [
      overSeeds('rank correlation of stored features with strength', rank('stored'), {
        predicted: { high: -0.7 },
      }),
      overSeeds('rank correlation of interference with strength', rank('interference'), {
        predicted: { high: -0.7 },
      }),
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
      ...[-1, 0, 1].flatMap((strength) => [
        overSeeds(
          `stored features per dimension at strength ${strength}`,
          eachSeed((own) => at(own, strength).stored),
        ),
        overSeeds(
          `interference at strength ${strength}`,
          eachSeed((own) => at(own, strength).interference),
        ),
      ]),
      overSeeds(
        'mean cosine within sets at strength 1',
        eachSeed((own) => at(own, 1).within),
      ),
    ];
    const draw = (name: string, caption: string, lines: Partial<Record<keyof Point, string>>) => {
      const data = points.flatMap((point) =>
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
        'Features stored per dimension, and the interference of a feature, against strength.',
        {
          stored: 'stored features per dimension',
          interference: 'interference',
        },
      ),
      draw(
        'cosines',
        'Mean cosine of two features of a set, and of two of different sets, against strength.',
        {
          within: 'within sets',
          across: 'across sets',
        },
      ),
      draw('loss', 'Loss, over that of answering 0, against strength.', { loss: 'loss' }),
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
