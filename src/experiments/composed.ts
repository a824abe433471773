/** Latents for pairs of features, where pairs fire together and there are latents for them. */
import * as Plot from '@observablehq/plot';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { familyOptions } from '../dictionaries/families/index.ts';
import { scoreDirections } from '../evaluation/groundTruth.ts';
import { randomDictionary } from '../evaluation/nulls/random.ts';
import type { Backend } from '../kernels/backend.ts';
import { mean } from '../math/statistics.ts';
import { trainDictionaries, type Wanted } from '../pipeline/toyDictionaries.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { BLOCK_ROWS, type Distribution, type Samples } from '../toy/distribution.ts';
import { pairedGroups, standingOf } from './composedWorlds.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const TEST_ROWS = 16_384;
/** One world was looked at while the experiment was written, that of seed 0; these begin after it. */
const FIRST_SEED = 10;
/** Both groups fire in each sample with this probability; a sample always has one of them at least. */
const BOTH = [1, 0.5, 0.25];
const WIDTHS = [12, 48, 96];
const FAMILIES = ['l1', 'topk', 'batchtopk'] as const;
type Name = (typeof FAMILIES)[number];
const FULL = { seeds: 3, steps: 3000, learningRate: 3e-3, both: BOTH, widths: WIDTHS };
const QUICK = { seeds: 2, steps: 400, learningRate: 0.01, both: [1, 0.25], widths: [12, 48] };

interface Cell {
  readonly seed: number;
  readonly both: number;
  readonly latents: number;
  readonly family: Name | 'random';
  readonly composed: number;
  readonly atomic: number;
  /** From features to latents. */
  readonly mmcs: number;
}

export const composed: Experiment = {
  name: 'composed',
  title: 'Composed latents',
  claim:
    'Where two features fire together and a dictionary has latents to spare, it has latents for pairs: a penalty on how many latents ' +
    'fire is paid once for a pair instead of twice. The more often features fire together and the wider the dictionary, the more. ' +
    'The features are nearly all found besides, so cosines with them do not show it.',
  prediction:
    'Of 6 + 6 orthonormal features of two groups, of 12 latents none is composed. Of 96, where both groups always fire, 20 or more are with ' +
    'TopK and with BatchTopK (30 and 34 were reported), and 20 or more with L1 (63, at a penalty that was not); where both do in a quarter ' +
    'of the samples, at most 5 with BatchTopK (1). MMCS from features to latents is .9 or more all the while.',
  source: 'Anders et al. 2024, Sparse autoencoders find composed features in small toy models (LessWrong)',
  minutes: 5,
  async run({ backend, quick, seed, update }) {
    const { seeds, steps, learningRate, both, widths } = quick ? QUICK : FULL;
    const cells: Cell[] = [];
    const total = seeds * both.length * steps;
    for (let s = 0; s < seeds; s++)
      for (const [b, probability] of both.entries()) {
        const own = seed + FIRST_SEED + s;
        const world = pairedGroups(probability, own);
        const wanted = widths.flatMap((latents) =>
          FAMILIES.map((family) => wantedOf(family, latents, probability, learningRate)),
        );
        const before = (s * both.length + b) * steps;
        const dictionaries = await trainDictionaries(backend, world, wanted, {
          firstBlock: TEST_ROWS / BLOCK_ROWS,
          steps,
          seed: own,
          learningRate,
          afterStep: (step) => update(before + step, total),
        });
        const test = await world.draw(backend, 0, TEST_ROWS);
        const at = { seed: s, both: probability };
        for (const [i, dictionary] of dictionaries.entries())
          cells.push({
            ...at,
            family: FAMILIES[i % FAMILIES.length],
            ...(await score(backend, dictionary, world, test)),
          });
        const latents = widths[widths.length - 1];
        const random = await randomLike(backend, test, latents, own);
        cells.push({ ...at, family: 'random', ...(await score(backend, random, world, test)) });
      }

    const widest = widths[widths.length - 1];
    const rarest = both[both.length - 1];
    const bySeed = (of: (cells: Cell[]) => number) =>
      Array.from({ length: seeds }, (_, s) => of(cells.filter((cell) => cell.seed === s)));
    const count = (wanted: Partial<Cell>) => (some: Cell[]) =>
      mean(
        some
          .filter((cell) => Object.entries(wanted).every(([key, value]) => cell[key as keyof Cell] === value))
          .map((cell) => cell.composed),
      );
    const trained = (some: Cell[]) => some.filter(({ family }) => family !== 'random');
    const random = overSeeds('', bySeed(count({ family: 'random', both: 1 })));
    const nothing = { name: 'random dictionary', value: random.value, low: random.low, high: random.high };
    const ofFamily = (family: Name) =>
      overSeeds(
        `composed of ${widest} latents, both always, ${family}`,
        bySeed(count({ family, both: 1, latents: widest })),
        {
          predicted: { low: 20 },
          null: nothing,
        },
      );
    const findings = [
      overSeeds(
        'composed of 12 latents, most over families and probabilities',
        bySeed((some) =>
          Math.max(
            ...trained(some)
              .filter(({ latents }) => latents === 12)
              .map((cell) => cell.composed),
          ),
        ),
        { predicted: { high: 0 } },
      ),
      ...FAMILIES.map(ofFamily),
      overSeeds(
        `composed of ${widest} latents, both in ${rarest}, batchtopk`,
        bySeed(count({ family: 'batchtopk', both: rarest, latents: widest })),
        { predicted: { high: 5 } },
      ),
      overSeeds(
        'MMCS from features to latents, least over all',
        bySeed((some) => Math.min(...trained(some).map(({ mmcs }) => mmcs))),
        { predicted: { low: 0.9 } },
      ),
    ];
    return { findings, figures: [picture(cells)], ...judge(findings) };
  },
};

/**
 * BatchTopK with as many latents as features fire on average. L1 plainly: biases from 0, one rate for all steps, nothing resampled.
 * Its penalty was not reported; .3 is that of .1, .2, .3 and .4 that came nearest to the seven counts on the world of seed 20. With
 * the family's own recipe, which resamples, a third fewer latents of 96 are composed.
 */
function wantedOf(family: Name, latents: number, both: number, learningRate: number): Wanted {
  switch (family) {
    case 'l1':
      return {
        dictionary: familyOptions.parse({ family, latents, coefficient: 0.3 }),
        training: {
          learningRate: learningRate / 3,
          warmupFraction: 0,
          decayFraction: 0,
          sparsityWarmupFraction: 0,
          resampleAt: [],
        },
        fromZero: true,
      };
    case 'topk':
      return { dictionary: familyOptions.parse({ family, latents, k: 2 }) };
    case 'batchtopk':
      return { dictionary: familyOptions.parse({ family, latents, k: 1 + both }) };
  }
}

async function score(backend: Backend, dictionary: Dictionary, world: Distribution, test: Samples) {
  const { latents, decoderWeight, width } = dictionary;
  const { truth } = await standingOf(backend, dictionary, world, test);
  const { mmcsOfFeatures: mmcs } = await scoreDirections(backend, decoderWeight, world.directions, width);
  return {
    latents,
    composed: Math.round(truth.composed * latents),
    atomic: Math.round(truth.atomic * latents),
    mmcs,
  };
}

function randomLike(backend: Backend, { x, labels }: Samples, latents: number, seed: number) {
  const width = x.length / labels.rows;
  const center = new Float32Array(width);
  x.forEach((value, at) => {
    center[at % width] += value / labels.rows;
  });
  return randomDictionary(backend, { latents, k: 2, seed }, center, x, labels.rows);
}

function picture(cells: readonly Cell[]) {
  const data = cells.map((cell) => ({ ...cell }));
  const families = [...FAMILIES, 'random'];
  const shown = data.filter(({ family }) => family !== 'random');
  return figure(
    'composed',
    'Latents that fire as a pair of features does, against the number of latents; columns by the share of samples in which both groups fire.',
    data,
    {
      fx: { label: null, tickFormat: (both: number) => `both in ${both}`, reverse: true },
      x: { label: 'latents', type: 'point' },
      y: { label: null, grid: true, zero: true },
      color: { domain: families, range: COLOURS },
      marks: [
        Plot.line(
          shown,
          Plot.groupX({ y: 'mean' }, { fx: 'both', x: 'latents', y: 'composed', stroke: 'family' }),
        ),
        Plot.dot(data, { fx: 'both', x: 'latents', y: 'composed', stroke: 'family', r: 2.5 }),
      ],
    },
  );
}
