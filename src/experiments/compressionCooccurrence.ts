/** Compression 3: do features that rarely fire together share dimensions? */
import * as Plot from '@observablehq/plot';
import { type MantelTest, mantel } from '../math/mantel.ts';
import { pairsAmong } from '../math/pairList.ts';
import { Random } from '../math/random.ts';
import { pearson, ranks } from '../math/spearman.ts';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { independentFirings } from '../toy/independent.ts';
import { pairLift } from '../toy/pairProbabilities.ts';
import type { Experiment } from './experiment.ts';
import { permutedFeatures, randomCopula, trainOnLaws } from './lawModels.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.05;
const FULL = {
  seeds: 6,
  features: 64,
  hidden: 16,
  batch: 512,
  steps: 4000,
  learningRate: 3e-3,
  permutations: 999,
};
const QUICK = {
  seeds: 3,
  features: 64,
  hidden: 16,
  batch: 256,
  steps: 800,
  learningRate: 1e-2,
  permutations: 199,
};
const BANDS = [0.25, 0.5, 1, 2, 4, Number.POSITIVE_INFINITY];

export const compressionCooccurrence: Experiment = {
  name: 'compression-cooccurrence',
  title: 'Compression 3: what rarely fires together shares dimensions',
  claim:
    'A network saves dimensions by letting those features share them that rarely fire together: the rarer two fire together, the more ' +
    'their directions overlap.',
  prediction:
    '64 features that fire with probability .05, correlated by a copula of rank 4, in 16 dimensions: over pairs of stored features, the rank ' +
    'correlation of lift, P(i and j) / (P(i) P(j)), with cos^2 is at most -.05, at or below the 2.5th percentile of permuted features; with the signed cosine it ' +
    'is at least .2, at or above the 97.5th: what rarely fires together is stored in opposite directions. Where features are independent, the same lifts have a rank correlation ' +
    'with cos^2 of -.05 to .05.',
  source:
    'Elhage et al. 2022, arXiv 2209.10652; the compression hypothesis of this project; Mantel 1967 for the test',
  minutes: 0.7,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, permutations, ...size } = quick ? QUICK : FULL;
    const worlds = Array.from({ length: seeds }, (_, s) => {
      const own = seed * seeds + s;
      const law = randomCopula(features, PROBABILITY, own);
      return { law, seed: own, lift: pairLift(law) };
    });
    const independent = independentFirings({
      probabilities: new Float64Array(features).fill(PROBABILITY),
      amplitudes: UNIT_UNIFORM,
    });
    const models = await trainOnLaws(
      backend,
      [...worlds, ...worlds.map((world) => ({ law: independent, seed: world.seed }))],
      size,
      update,
    );
    const tests = models.map(({ cosines, stored }, i) => {
      const world = worlds[i % seeds];
      const lift = pairsAmong(world.lift, stored);
      const signed = pairsAmong(cosines, stored);
      const against = (values: Float64Array, what: string) =>
        mantel({
          a: ranks(lift),
          b: ranks(values),
          things: stored.length,
          statistic: pearson,
          permutations,
          random: new Random(world.seed, 'co-occurrence', 'permutations', what),
        });
      const squared = signed.map((cosine) => cosine ** 2);
      return { lift, cosines: signed, squared: against(squared, 'cos^2'), signed: against(signed, 'cos') };
    });
    const [coupled, apart] = [tests.slice(0, seeds), tests.slice(seeds)];
    const squared = coupled.map((test) => test.squared);
    const signed = coupled.map((test) => test.signed);
    const values = (of: readonly MantelTest[]) => of.map(({ value }) => value);
    const percentiles = (of: readonly MantelTest[]) => of.map(({ percentile }) => percentile);
    const findings = [
      overSeeds('rank correlation of lift with cos^2', values(squared), {
        predicted: { high: -0.05 },
        null: permutedFeatures(squared),
      }),
      overSeeds('its percentile among permuted features', percentiles(squared), {
        predicted: { high: 0.025 },
      }),
      overSeeds('rank correlation of lift with the signed cosine', values(signed), {
        predicted: { low: 0.2 },
        null: permutedFeatures(signed),
      }),
      overSeeds('its percentile among permuted features, signed', percentiles(signed), {
        predicted: { low: 0.975 },
      }),
      overSeeds(
        'rank correlation of the same lifts with cos^2, features independent',
        values(apart.map((test) => test.squared)),
        { predicted: { low: -0.05, high: 0.05 } },
      ),
      ...BANDS.map((to, band) => ({ from: band === 0 ? 0 : BANDS[band - 1], to })).flatMap(({ from, to }) => {
        const name = to === Number.POSITIVE_INFINITY ? `above ${from}` : `${from} to ${to}`;
        const within = ({ lift, cosines }: (typeof coupled)[number]) =>
          cosines.filter((_, pair) => lift[pair] >= from && lift[pair] < to);
        return [
          overSeeds(
            `mean cosine of pairs with a lift ${name}`,
            coupled.map((test) => mean(within(test))),
          ),
          overSeeds(
            `mean cos^2 of pairs with a lift ${name}`,
            coupled.map((test) => mean(within(test).map((cosine) => cosine ** 2))),
          ),
        ];
      }),
    ];
    const [first] = coupled;
    const pairs = Array.from(first.lift, (lift, pair) => ({ lift, cosine: first.cosines[pair] }));
    const draw = (name: string, caption: string, value: (cosine: number) => number, label: string) =>
      figure(name, caption, pairs, {
        x: {
          label: 'lift',
          type: 'symlog',
          constant: 0.1,
          ticks: [0, 0.1, 0.3, 1, 3, 10],
          tickFormat: String,
        },
        y: { label, grid: true },
        marks: [
          Plot.ruleX([1], { strokeDasharray: '3 3', stroke: 'currentColor' }),
          Plot.dot(pairs, {
            x: 'lift',
            y: ({ cosine }: { cosine: number }) => value(cosine),
            r: 1.5,
            fill: COLOURS[0],
            fillOpacity: 0.5,
          }),
        ],
      });
    const figures = [
      draw(
        'cosines',
        'Each pair of stored features of the first seed: its cosine against its lift.',
        (c) => c,
        'cosine',
      ),
      draw(
        'overlaps',
        'The same pairs: squared cosine against lift. The line marks independence.',
        (c) => c * c,
        'cos^2',
      ),
    ];
    return { findings, figures, ...judge(findings) };
  },
};
