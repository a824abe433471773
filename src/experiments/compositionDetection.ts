/** Whether compositions, circles and absorption are told from a dictionary and its codes alone, where the truth is known. */
import * as Plot from '@observablehq/plot';
import { type DictionaryOptions, familyOptions } from '../dictionaries/families/index.ts';
import type { Backend } from '../kernels/backend.ts';
import { mean } from '../math/statistics.ts';
import { trainDictionaries } from '../pipeline/toyDictionaries.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import { nabeshimaTree } from '../toy/nabeshima.ts';
import { orthogonalToy } from '../toy/orthogonal.ts';
import { SYNTH_SAE_BENCH_1K, synthSaeBench } from '../toy/synthSaeBench.ts';
import { circlesAndSingles, pairedGroups } from './composedWorlds.ts';
import { type DetectionScores, scoreDetection } from './detectionScores.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const TEST_ROWS = 16_384;
/** Thresholds were chosen on worlds of seed 0; these begin after it. */
const FIRST_SEED = 20;

type Scores = DetectionScores & { readonly seed: number; readonly world: string; readonly family: string };

interface Arm {
  readonly world: string;
  readonly make: (backend: Backend, seed: number) => Distribution | Promise<Distribution>;
  readonly wanted: readonly DictionaryOptions[];
  readonly steps: number;
  readonly learningRate: number;
  /** The parent of a feature, -1 where it has none. */
  readonly parentOf?: (feature: number) => number;
}

const batchtopk = (latents: number, k: number) => familyOptions.parse({ family: 'batchtopk', latents, k });
const topk = (latents: number, k: number) => familyOptions.parse({ family: 'topk', latents, k });
const l1 = (latents: number) => familyOptions.parse({ family: 'l1', latents, coefficient: 0.1 });
const paired = (both: number, widths: readonly number[]): Arm => ({
  world: `pairs, both in ${both}`,
  make: (_, seed) => pairedGroups(both, seed),
  wanted: widths.flatMap((latents) => [l1(latents), topk(latents, 2), batchtopk(latents, 1 + both)]),
  steps: 3000,
  learningRate: 3e-3,
});
const ORTHOGONAL: Arm = {
  world: 'orthogonal',
  make: (_, seed) => orthogonalToy(seed),
  wanted: [batchtopk(50, 11), batchtopk(100, 11)],
  steps: 1500,
  learningRate: 3e-3,
};
const TREE: Arm = {
  world: 'tree',
  make: (_, seed) => nabeshimaTree(seed),
  wanted: [batchtopk(20, 1), batchtopk(40, 1), l1(20)],
  steps: 2000,
  learningRate: 3e-3,
  parentOf: (feature) => (feature < 12 && feature % 4 > 0 ? feature - (feature % 4) : -1),
};
const SYNTH: Arm = {
  world: 'synth-sae-bench-1k',
  make: (backend, seed) => synthSaeBench(backend, SYNTH_SAE_BENCH_1K, seed),
  wanted: [batchtopk(512, 20)],
  steps: 1000,
  learningRate: 1e-3,
};
const CIRCLES: Arm = {
  world: 'circles',
  make: (_, seed) => circlesAndSingles(seed),
  wanted: [batchtopk(48, 2), batchtopk(96, 2)],
  steps: 3000,
  learningRate: 3e-3,
};
const FULL = { seeds: 5, arms: [paired(1, [48, 96]), paired(0.5, [96]), CIRCLES, TREE, ORTHOGONAL, SYNTH] };
const QUICK = {
  seeds: 2,
  arms: [
    { ...paired(1, [48]), steps: 600, learningRate: 0.01 },
    { ...CIRCLES, wanted: CIRCLES.wanted.slice(0, 1), steps: 600, learningRate: 0.01 },
    { ...TREE, wanted: TREE.wanted.slice(0, 1), steps: 600, learningRate: 0.01 },
  ],
};

export const compositionDetection: Experiment = {
  name: 'composition-detection',
  title: 'Compositions told without labels',
  claim:
    'Which latents stand for pairs of features can be told without knowing the features: their decoder rows are sums of a few directions ' +
    'that many rows share, and they fire where two of these do. So can the latents of features of two dimensions, and latents that absorb ' +
    'others; and where there are no compositions, next to none are seen.',
  prediction:
    'Against what fires as pairs of true features do: precision and recall .9 or more. Of latents in the planes of circles, .9 or more are called ' +
    'manifold, and of all others at most .05. On the tree, .8 or more of the latents that have their parent in them are called absorbers. On the tree, ' +
    'the orthogonal toy and SynthSAEBench-1k at most .05 of the latents that fire are called composed and are not. Rewritten in atoms, ' +
    'dictionaries of pairs leave at most .02 more of the variance unexplained.',
  source:
    'after Clarke et al. 2024, Leask et al. 2025 (arXiv 2502.04878), Engels et al. 2024 (arXiv 2405.14860), Chanin et al. 2024 (arXiv 2409.14507)',
  minutes: 8,
  async run({ backend, quick, seed, update }) {
    const { seeds, arms } = quick ? QUICK : FULL;
    const all: Scores[] = [];
    const costs = arms.map(
      ({ steps, wanted }) => steps * wanted.reduce((sum, { latents }) => sum + latents, 0),
    );
    const total = seeds * costs.reduce((sum, cost) => sum + cost, 0);
    let done = 0;
    for (let s = 0; s < seeds; s++)
      for (const [a, arm] of arms.entries()) {
        const { world, make, wanted, steps, learningRate } = arm;
        const own = seed + FIRST_SEED + s;
        const distribution = await make(backend, own);
        const dictionaries = await trainDictionaries(
          backend,
          distribution,
          wanted.map((dictionary) => ({ dictionary })),
          {
            firstBlock: TEST_ROWS / BLOCK_ROWS,
            steps,
            seed: own,
            learningRate,
            afterStep: (step) => update(done + (costs[a] * step) / steps, total),
          },
        );
        done += costs[a];
        const test = await distribution.draw(backend, 0, TEST_ROWS);
        for (const [i, dictionary] of dictionaries.entries())
          all.push({
            seed: s,
            world,
            family: wanted[i].family,
            ...(await scoreDetection(backend, dictionary, distribution, test, arm.parentOf)),
          });
      }
    const findings = findingsOf(all, seeds);
    return { findings, figures: [picture(all)], ...judge(findings) };
  },
};

/** Each a ratio of sums over the dictionaries of a seed. */
function findingsOf(all: readonly Scores[], seeds: number) {
  type Sum = (scores: Scores) => number;
  const ratio = (worlds: string, above: Sum, below: Sum) =>
    Array.from({ length: seeds }, (_, s) => {
      const some = all.filter((scores) => scores.seed === s && scores.world.startsWith(worlds));
      const sum = (of: Sum) => some.reduce((total, scores) => total + of(scores), 0);
      return sum(above) / sum(below);
    });
  const told = (
    name: string,
    worlds: string,
    [above, below]: readonly [Sum, Sum],
    predicted: { low?: number; high?: number },
    chance?: readonly [Sum, Sum],
  ) => {
    const interval = chance && overSeeds('', ratio(worlds, ...chance));
    return overSeeds(name, ratio(worlds, above, below), {
      predicted,
      ...(interval && {
        null: {
          name: 'as many latents at random',
          value: interval.value,
          low: interval.low,
          high: interval.high,
        },
      }),
    });
  };
  const live: Sum = (scores) => scores.live;
  const has = (world: string) => all.some((scores) => scores.world.startsWith(world));
  const wrong: Sum = ({ called, right }) => called - right;
  return [
    told('precision of composed latents', 'pairs', [(s) => s.right, (s) => s.called], { low: 0.9 }, [
      (s) => s.composed,
      live,
    ]),
    told('recall of composed latents', 'pairs', [(s) => s.right, (s) => s.composed], { low: 0.9 }, [
      (s) => s.called,
      live,
    ]),
    told(
      'latents on circles that are called manifold',
      'circles',
      [(s) => s.onCirclesCalled, (s) => s.onCircles],
      { low: 0.9 },
      [(s) => s.calledManifold, live],
    ),
    ...['circles', 'pairs', 'tree', 'orthogonal', 'synth']
      .filter(has)
      .map((world) =>
        told(
          `latents beside circles that are called manifold, ${world}`,
          world,
          [(s) => s.calledManifold - s.onCirclesCalled, (s) => s.live - s.onCircles],
          { high: 0.05 },
        ),
      ),
    told(
      'latents with their parent in them that are called absorbers, tree',
      'tree',
      [(s) => s.absorbersCalled, (s) => s.absorbers],
      { low: 0.8 },
      [(s) => s.calledAbsorbers, live],
    ),
    ...['tree', 'orthogonal', 'synth']
      .filter(has)
      .map((world) =>
        told(`latents wrongly called composed, ${world}`, world, [wrong, live], { high: 0.05 }),
      ),
    overSeeds(
      'unexplained variance after rewriting pairs, less before',
      Array.from({ length: seeds }, (_, s) =>
        mean(
          all.filter(({ seed, world }) => seed === s && world.startsWith('pairs')).map(({ lost }) => lost),
        ),
      ),
      { predicted: { high: 0.02 } },
    ),
  ];
}

function picture(all: readonly Scores[]) {
  const data = all.map((scores) => ({ ...scores }));
  const shares = data.flatMap(({ world, live, composed, called, right }) => [
    { world, line: 'composed', value: composed / live },
    { world, line: 'called composed', value: called / live },
    { world, line: 'both', value: right / live },
  ]);
  return figure(
    'shares',
    'Shares of the latents that fire which are composed, which are called so, and which are both; a dot for each dictionary.',
    data,
    {
      marginLeft: 140,
      x: { label: 'share', domain: [0, 1], grid: true },
      y: { label: null, type: 'band' },
      color: { domain: ['composed', 'called composed', 'both'], range: COLOURS },
      marks: [Plot.dot(shares, { x: 'value', y: 'world', stroke: 'line', r: 3 })],
    },
  );
}
