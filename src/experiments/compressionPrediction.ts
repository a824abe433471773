/**
 * Compression 5: from the data distribution alone, before any training, which features will a network store along and which
 * against each other?
 *
 * The rule: the cosines of pairs stand in the order of their lifts, P(i and j) / (P(i) P(j)). For a small cosine c, and E the
 * mean squared amplitude, what j adds to the output of i costs `E c^2 P(j)` where c > 0, but where c < 0 the ReLU hides it
 * unless both fire: `E c^2 P(i and j)`. What i lacks when it fires (norms below 1, biases below 0) a positive c makes up for in
 * proportion to P(i and j). So the rarer two fire together, the cheaper it is to store them against each other and the less there is
 * to gain by storing them along each other; pairs that never fire together go below 0.
 */
import * as Plot from '@observablehq/plot';
import { concordance } from '../math/concordance.ts';
import { mantel } from '../math/mantel.ts';
import { Random } from '../math/random.ts';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { independentFirings } from '../toy/independent.ts';
import { pairLift } from '../toy/pairProbabilities.ts';
import { anticorrelatedSets, correlatedSets, exclusiveSets } from '../toy/sets.ts';
import type { Experiment } from './experiment.ts';
import { permutedFeatures, randomCopula, trainOnLaws } from './lawModels.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.05;
const FEATURES = 64;
const FULL = { seeds: 4, hidden: 16, batch: 512, steps: 4000, learningRate: 3e-3, permutations: 499 };
const QUICK = { seeds: 3, hidden: 16, batch: 256, steps: 800, learningRate: 1e-2, permutations: 199 };

const KINDS = [
  'independent',
  'correlated sets',
  'anticorrelated sets',
  'exclusive sets',
  'low-rank copula',
] as const;
type Kind = (typeof KINDS)[number];
/** At least how well lifts are predicted to order cosines: a copula has many pairs of nearly the same lift. */
const PREDICTED: Record<Exclude<Kind, 'independent'>, number> = {
  'correlated sets': 0.7,
  'anticorrelated sets': 0.7,
  'exclusive sets': 0.8,
  'low-rank copula': 0.6,
};

/** What the order of cosines is predicted from. */
const PREDICTIONS = ['its own lifts', 'lifts of the others', 'permuted features'];

export const compressionPrediction: Experiment = {
  name: 'compression-prediction',
  title: 'Compression 5: the geometry, from the distribution alone',
  claim:
    'When nothing but the data distribution is changed, the geometry that training comes to can be told beforehand: the cosines of pairs ' +
    'of features stand in the order of their lifts, and pairs that never fire together are stored against each other.',
  prediction:
    '64 features that fire with probability .05, in 16 dimensions. Lifts order cosines rightly (1/2 by chance) in at least .7 of comparisons for sets of 4 ' +
    'correlated by .3, and for sets of 4 half exclusive; .8 for exclusive sets of 8; .6 for a copula of rank 4. The lifts of the other three distributions do ' +
    'so in .4 to .55 on average, and for independent features in .47 to .53. Of the pairs of exclusive sets at least .8 have a cosine below 0, against at most .7 of the other pairs.',
  source:
    'Elhage et al. 2022, arXiv 2209.10652; Prieto et al., arXiv 2603.09972; the compression hypothesis of this project',
  minutes: 1,
  async run({ backend, quick, seed, update }) {
    const { seeds, permutations, ...size } = quick ? QUICK : FULL;
    const subjects = Array.from({ length: seeds }, (_, s) => seed * seeds + s).flatMap((own, s) =>
      KINDS.map((kind, k) => {
        const law = lawOf(kind, own);
        return { kind, law, lift: pairLift(law), own: s, seed: own * KINDS.length + k };
      }),
    );
    const models = await trainOnLaws(backend, subjects, size, update);
    const rows = subjects.map(({ kind, lift, own, seed: its }, i) => {
      const { cosines } = models[i];
      const others = subjects.filter(
        (other) => other.own === own && other.kind !== kind && other.kind !== 'independent',
      );
      const foreign = mean(others.map((other) => concordance(other.lift, cosines)));
      if (kind === 'independent') return { kind, seed: own, lift, cosines, foreign };
      const test = mantel({
        a: lift,
        b: cosines,
        things: FEATURES,
        statistic: concordance,
        permutations,
        random: new Random(its, 'prediction', 'permutations'),
      });
      return { kind, seed: own, lift, cosines, foreign, test };
    });
    const of = (kind: Kind) => rows.filter((row) => row.kind === kind);
    const structured = KINDS.filter((kind) => kind !== 'independent');
    const against = (never: boolean) =>
      of('exclusive sets').map(({ lift, cosines }) => {
        const chosen = cosines.filter((_, pair) => (lift[pair] === 0) === never);
        return chosen.filter((cosine) => cosine < 0).length / chosen.length;
      });
    const findings = [
      ...structured.map((kind) => {
        const tests = of(kind).map(({ test }) => test!);
        return overSeeds(
          `cosines ordered rightly by lift, ${kind}`,
          tests.map(({ value }) => value),
          {
            predicted: { low: PREDICTED[kind] },
            null: permutedFeatures(tests),
          },
        );
      }),
      ...structured.map((kind) =>
        overSeeds(
          `the same by the lifts of the other distributions, ${kind}`,
          of(kind).map(({ foreign }) => foreign),
          { predicted: { low: 0.4, high: 0.55 } },
        ),
      ),
      overSeeds(
        'the same by the lifts of the other distributions, independent',
        of('independent').map(({ foreign }) => foreign),
        { predicted: { low: 0.47, high: 0.53 } },
      ),
      ...structured.map((kind) =>
        overSeeds(
          `squared cosines ordered against lift, ${kind}`,
          of(kind).map(({ lift, cosines }) => {
            const overlaps = cosines.map((cosine) => cosine ** 2);
            return 1 - concordance(lift, overlaps);
          }),
        ),
      ),
      overSeeds('share of pairs with a cosine below 0, of one exclusive set', against(true), {
        predicted: { low: 0.8 },
      }),
      overSeeds('share of pairs with a cosine below 0, of different exclusive sets', against(false), {
        predicted: { high: 0.7 },
      }),
    ];
    const scores = structured.flatMap((kind) =>
      of(kind).flatMap(({ seed: s, foreign, test }) => [
        { kind, seed: s, prediction: PREDICTIONS[0], score: test!.value },
        { kind, seed: s, prediction: PREDICTIONS[1], score: foreign },
        { kind, seed: s, prediction: PREDICTIONS[2], score: test!.null.high },
      ]),
    );
    const first = structured.flatMap((kind) => {
      const { lift, cosines } = of(kind)[0];
      return Array.from(lift, (value, pair) => ({ kind, lift: value, cosine: cosines[pair] }));
    });
    const figures = [
      figure(
        'scores',
        'Share of comparisons of two pairs in which the predicted order of their cosines is right. From left to right: by the lifts of the distribution itself, by those of the others, and the 97.5th percentile of permuted features.',
        scores,
        {
          fx: { label: null, domain: structured },
          x: { axis: null, domain: PREDICTIONS },
          y: { label: null, grid: true, domain: [0, 1] },
          color: {
            domain: PREDICTIONS,
            range: COLOURS,
          },
          marks: [
            Plot.ruleY([0.5], { strokeDasharray: '3 3', stroke: 'currentColor' }),
            Plot.dot(scores, { fx: 'kind', x: 'prediction', y: 'score', stroke: 'prediction', r: 3 }),
          ],
        },
      ),
      figure('pairs', 'Each pair of the first seed: its cosine against its lift.', first, {
        fx: { label: null, domain: structured },
        x: { label: 'lift', type: 'symlog', constant: 0.1, ticks: [0, 0.3, 1, 3], tickFormat: String },
        y: { label: 'cosine', grid: true, domain: [-1, 1] },
        marks: [
          Plot.dot(first, {
            fx: 'kind',
            x: 'lift',
            y: 'cosine',
            r: 1,
            fill: COLOURS[0],
            fillOpacity: 0.4,
          }),
        ],
      }),
    ];
    return { findings, figures, ...judge(findings) };
  },
};

/** They differ in who fires with whom and in nothing else. */
function lawOf(kind: Kind, seed: number): FiringLaw {
  const amplitudes = UNIT_UNIFORM;
  const sets = { sets: FEATURES / 4, size: 4, probability: PROBABILITY, amplitudes };
  switch (kind) {
    case 'independent':
      return independentFirings({ probabilities: new Float64Array(FEATURES).fill(PROBABILITY), amplitudes });
    case 'correlated sets':
      return correlatedSets({ ...sets, strength: 0.3 });
    case 'anticorrelated sets':
      return anticorrelatedSets({ ...sets, strength: 0.5 });
    case 'exclusive sets':
      return exclusiveSets({
        probabilities: Array.from({ length: FEATURES / 8 }, () => new Array(8).fill(PROBABILITY)),
        amplitudes,
      });
    case 'low-rank copula':
      return randomCopula(FEATURES, PROBABILITY, seed);
  }
}
