/** What fires together is stored apart; what never fires together is stored on one line. */
import * as Plot from '@observablehq/plot';
import { pairAt } from '../math/pairList.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import type { FiringLaw } from '../toy/firingLaw.ts';
import { pairCosines } from '../toy/geometry/cosines.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import { anticorrelatedSets, correlatedSets } from '../toy/sets.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.05;
const KINDS = ['correlated', 'anticorrelated', 'independent'] as const;
type Kind = (typeof KINDS)[number];
const FULL = { seeds: 5, restarts: 32, batch: 512, steps: 4000 };
const QUICK = { seeds: 3, restarts: 16, batch: 512, steps: 800 };
/** Of the restarts, those of the lowest loss. */
const BEST = 0.25;
const [ORTHOGONAL, ANTIPODAL] = [0.2, -0.8];

export const pairs: Experiment = {
  name: 'pairs',
  title: 'What fires together is stored apart',
  claim:
    'Two pairs of features in two dimensions: the two of a pair that fire together are stored at right angles, and two that never fire ' +
    'together are stored antipodally, since then they do not interfere.',
  prediction:
    'Probability .05, 32 restarts: within correlated pairs |cos| < .2 in all restarts; within anticorrelated pairs cos < -.8 in each of the ' +
    'quarter of restarts with the lowest loss, though in no more than 60 % of all restarts (features that are independent: 1 in 3 by chance).',
  source: 'Elhage et al. 2022, arXiv 2209.10652, "Organization of correlated features"',
  minutes: 0.4,
  async run({ backend, quick, seed, update }) {
    const { seeds, restarts, batch, steps } = quick ? QUICK : FULL;
    const rows: { kind: Kind; seed: number; loss: number; cosine: number; best: boolean }[] = [];
    let done = 0;
    for (const kind of KINDS) {
      for (let s = 0; s < seeds; s++) {
        const { model, log } = await trainToyModels(backend, {
          ...ELHAGE,
          architecture: reluOutput(4, 2),
          batch,
          steps,
          learningRate: quick ? 0.02 : 0.005,
          schedule: { kind: 'linear', warmupSteps: 0 },
          instances: Array.from({ length: restarts }, (_, i) => ({
            seed: (seed + s) * restarts + i,
            importance: 1,
          })),
          inputs: {
            kind: 'world',
            draw: async (step) => [
              (await drawLaw(backend, LAWS[kind], seed + s, (step - 1) * batch, batch)).labels,
            ],
          },
          logEvery: Math.round(steps / 10),
          onLog: ({ step }) => update(done + step, KINDS.length * seeds * steps),
        });
        done += steps;
        const { losses } = log[log.length - 1];
        const limit = [...losses].sort((a, b) => a - b)[Math.ceil(BEST * restarts) - 1];
        for (let i = 0; i < restarts; i++) {
          const all = pairCosines({ values: encoderOf(model, i), features: 4, hidden: 2 });
          // Of the two pairs, the one that is less like what was predicted.
          const cosines = [all[pairAt(0, 1)], all[pairAt(2, 3)]];
          const worst =
            kind === 'correlated'
              ? (a: number, b: number) => Math.abs(b) > Math.abs(a)
              : (a: number, b: number) => b > a;
          const value = worst(cosines[0], cosines[1]) ? cosines[1] : cosines[0];
          rows.push({ kind, seed: s, loss: losses[i], cosine: value, best: losses[i] <= limit });
        }
      }
    }
    const share = (
      kind: Kind,
      of: (row: (typeof rows)[number]) => boolean,
      among = (_: (typeof rows)[number]) => true,
    ) =>
      Array.from({ length: seeds }, (_, s) => {
        const own = rows.filter((row) => row.kind === kind && row.seed === s && among(row));
        return own.filter(of).length / own.length;
      });
    const antipodal = (row: { cosine: number }) => row.cosine < ANTIPODAL;
    const chance = overSeeds('', share('independent', antipodal));
    const nothing = { name: 'independent pairs', value: chance.value, low: chance.low, high: chance.high };
    const findings = [
      overSeeds(
        'share of restarts with |cos| < .2 in correlated pairs',
        share('correlated', (row) => Math.abs(row.cosine) < ORTHOGONAL),
        {
          predicted: { low: 0.95 },
        },
      ),
      overSeeds(
        'share of the best restarts that are antipodal in anticorrelated pairs',
        share('anticorrelated', antipodal, (row) => row.best),
        {
          predicted: { low: 0.95 },
          null: nothing,
        },
      ),
      overSeeds(
        'share of all restarts that are antipodal in anticorrelated pairs',
        share('anticorrelated', antipodal),
        {
          predicted: { high: 0.6 },
          null: nothing,
        },
      ),
    ];
    const picture = figure(
      'restarts',
      'Each restart: its loss, over the lowest of its kind, and the cosine within the pair that is less as predicted. Filled: the quarter with the lowest loss.',
      rows.map((row) => ({ ...row })),
      {
        fx: { label: null, domain: [...KINDS] },
        x: { label: 'cosine within a pair', domain: [-1, 1] },
        y: { label: 'loss over the lowest', grid: true },
        marks: [
          Plot.dot(rows, {
            fx: 'kind',
            x: 'cosine',
            y: (row: (typeof rows)[number]) =>
              row.loss / Math.min(...rows.filter(({ kind }) => kind === row.kind).map(({ loss }) => loss)),
            r: 2.5,
            stroke: COLOURS[0],
            fill: (row: (typeof rows)[number]) => (row.best ? COLOURS[0] : 'none'),
          }),
        ],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};

/** Features 0 and 1 are a pair, and so are 2 and 3. Each fires with `PROBABILITY`, amplitudes uniform in (0, 1]. */
const SETS = { sets: 2, size: 2, probability: PROBABILITY, amplitudes: UNIT_UNIFORM };
const LAWS: Record<Kind, FiringLaw> = {
  correlated: correlatedSets({ ...SETS, strength: 1 }),
  anticorrelated: anticorrelatedSets({ ...SETS, strength: 1 }),
  independent: correlatedSets({ ...SETS, strength: 0 }),
};
