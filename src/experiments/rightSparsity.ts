/** Whether a sweep over sparsity finds the L0 that is right where there is one, and says so where there is none. */

import { Stopwatch, silent } from '../pipeline/reporter.ts';
import { type SparsityPlan, sweepSparsity } from '../pipeline/sparsity.ts';
import { sparsityContent } from '../pipeline/sparsityRecord.ts';
import { worldMaterial, worldPath } from '../pipeline/worldSubject.ts';
import { sparsityFigure } from '../report/sparsityChart.ts';
import { parseConfig } from '../runs/config.ts';
import type { Figure } from '../runs/entrySchema.ts';
import type { SparsityFile } from '../runs/sparsity.ts';
import { namedDistribution } from '../toy/named.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const LATENTS = 50;
const TRUE_L0 = 11;
const BATCH = 256;
/** Sizes and rules were chosen on worlds of the seeds 100 to 102; those that are judged here are others. */
const FULL = { worlds: 5, steps: 700, learningRate: 0.01, ks: [6, 7, 8, 9, 10, 11, 12, 13, 15] };
/** Fewer steps than these and the right features are not there yet; so it is kinds of worlds that are left out. */
const QUICK = { worlds: 2, steps: 500, learningRate: 0.01, ks: [7, 9, 10, 11, 12, 13, 15] };
const QUICK_WORLDS = ['orthogonal', 'decaying-noise'];
const SEEDS = [0, 1, 2];

/** Worlds, and how their dictionaries choose. */
const WORLDS = [
  { name: 'orthogonal', family: 'batchtopk', title: 'true L0 of 11' },
  { name: 'isotropic-noise', family: 'batchtopk', title: 'isotropic normals' },
  { name: 'decaying-noise', family: 'batchtopk', title: 'normals with a decaying spectrum' },
  { name: 'gapless', family: 'batchtopk', title: 'amplitudes without a gap' },
  { name: 'regimes', family: 'topk', title: 'two regimes, the same k for all' },
] as const;

type Content = ReturnType<typeof sparsityContent>;

export const rightSparsity: Experiment = {
  name: 'right-sparsity',
  title: 'The right sparsity',
  claim:
    'Where data have an L0 of their own, dictionaries trained to several L0s tell it: their decoders, what their codes cost, and whether seeds agree ' +
    'are all best there. Where data have none, no three of these agree, and the answer is that no L0 is identified.',
  prediction:
    'Of five worlds each: on the orthogonal toy of L0 11 an L0 is proposed in all, with an interval that contains 11 and is narrower than 5; on isotropic ' +
    'normals, on normals with a decaying spectrum, where amplitudes have no gap, and where two regimes of L0 3 and 16 share one k, none is identified in any.',
  source:
    'Chanin and Garriga-Alonso 2025, arXiv 2508.16560 (c_dec, s_n); Ayonrinde et al. 2024, arXiv 2410.11179 (description length); Song et al. 2025, ' +
    'arXiv 2505.20254 (consensus of seeds)',
  minutes: 8,
  async run({ backend, quick, seed, update }) {
    const { worlds, steps, learningRate, ks } = quick ? QUICK : FULL;
    const kinds = WORLDS.filter(({ name }) => !quick || QUICK_WORLDS.includes(name));
    const results = new Map<string, Content[]>();
    let done = 0;
    for (const { name, family } of kinds) {
      const contents: Content[] = [];
      for (let w = 0; w < worlds; w++) {
        const path = worldPath(name, seed + w);
        const config = parseConfig({
          name: 'sparsity',
          seed: seed + w,
          activations: path,
          precision: 'fp32',
          dictionary: { family, latents: LATENTS, k: ks[0] },
          training: { tokens: steps * BATCH, batch: BATCH, learningRate, windowRows: 16_384 },
        });
        const plan: SparsityPlan = { config, ks, seeds: SEEDS };
        const world = await namedDistribution(backend, name, seed + w);
        const bench = {
          backend,
          stopwatch: new Stopwatch(),
          reporter: {
            ...silent,
            begin: (phase: string) => ({
              end: () => {},
              update: (step: number) =>
                update(done * steps + (phase === 'training' ? step : steps), kinds.length * worlds * steps),
            }),
          },
        };
        const result = await sweepSparsity(bench, plan, worldMaterial(backend, world, path, steps * BATCH));
        contents.push(sparsityContent(result));
        done++;
      }
      results.set(name, contents);
    }
    const of = (name: string, value: (proposal: SparsityFile['proposal']) => number) =>
      results.get(name)!.map(({ proposal }) => value(proposal));
    const holds = (proposal: SparsityFile['proposal']) =>
      proposal.kind === 'identified' && proposal.low <= TRUE_L0 && TRUE_L0 <= proposal.high;
    const findings = [
      overSeeds(
        'share of worlds with an L0 of 11 whose interval contains it',
        of('orthogonal', (proposal) => (holds(proposal) ? 1 : 0)),
        { predicted: { low: 1 } },
      ),
      overSeeds(
        'width of the interval there',
        of('orthogonal', (proposal) =>
          proposal.kind === 'identified' ? proposal.high - proposal.low : Number.NaN,
        ),
        { predicted: { high: 5 } },
      ),
      overSeeds(
        'L0 proposed there',
        of('orthogonal', (proposal) => (proposal.kind === 'identified' ? proposal.l0 : Number.NaN)),
      ),
      ...kinds
        .filter(({ name }) => name !== 'orthogonal')
        .map(({ name, title }) =>
          overSeeds(
            `share not identified: ${title}`,
            of(name, (proposal) => (proposal.kind === 'identified' ? 0 : 1)),
            { predicted: { low: 1 } },
          ),
        ),
    ];
    const figures = kinds.map(
      ({ name, title }): Figure => sparsityFigure(name, `One world each, ${title}`, results.get(name)![0]),
    );
    return { findings, figures, ...judge(findings) };
  },
};
