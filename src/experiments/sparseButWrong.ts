/** A dictionary of the wrong L0 learns the wrong features, and explains the data better than the right ones. */
import * as Plot from '@observablehq/plot';
import { type Dictionary, decode, encode } from '../dictionaries/dictionary.ts';
import { familyOptions } from '../dictionaries/families/index.ts';
import { scoreDirections } from '../evaluation/groundTruth.ts';
import { scoreFirings } from '../evaluation/groundTruthFirings.ts';
import { unexplained } from '../evaluation/unexplained.ts';
import type { Backend } from '../kernels/backend.ts';
import { trainDictionaries } from '../pipeline/toyDictionaries.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { BLOCK_ROWS, type Samples } from '../toy/distribution.ts';
import { orthogonalToy } from '../toy/orthogonal.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const LATENTS = 50;
const TRUE_L0 = 11;
const TEST_ROWS = 8192;
/** s_n is taken at n latents a sample, above every k that could be right and below half of the latents. */
const RANK = 18;

/**
 * A quarter of the authors' samples, at three times their rate, which falls to 0 over the last third: at the tolerances of
 * docs/reproductions.md as far as at their own rate throughout, in less than half of the time. BatchTopK's own decay of the squared
 * gradients (Bussmann et al. 2024): with .999 in its place dictionaries of a k above the true L0 are not where they are going by
 * the end; at k = 18 they explain .990 of the variance for 1.000.
 */
const FULL = {
  seeds: 8,
  steps: 4000,
  recipe: { learningRate: 1e-3, warmupFraction: 0, decayFraction: 0.3, beta2: 0.99 },
  ks: [3, 5, 7, 9, 10, 11, 12, 13, 15, 18, 22],
};
/** As far in fewer, larger steps. */
const QUICK = {
  seeds: 2,
  steps: 900,
  recipe: { learningRate: 3e-3, decayFraction: 0 },
  ks: [5, 9, 11, 13, 18],
};

interface Scores {
  k: number;
  mcc: number;
  /** Of features, each against the latent that it is paired with. */
  f1: number;
  /** Of latents, each against its nearest feature. */
  f1OfLatents: number;
  decoderCosine: number;
  projection: number;
  explained: number;
  explainedByTruth: number;
}

export const sparseButWrong: Experiment = {
  name: 'sparse-but-wrong',
  title: 'Sparse but wrong',
  claim:
    'A sparse dictionary with an L0 below the true one mixes correlated features together, and explains more of the data ' +
    'that way than the true features could. How similar its own decoder rows are (c_dec, s_n) tells the true L0; explained variance does not.',
  prediction:
    'On 50 orthogonal features of which 10.95 fire, with BatchTopK: c_dec and s_18 are least at k = 10 to 12; MCC there is at least .93; ' +
    'at k <= 9 the trained dictionary explains more than the true features with as many active; and explained variance is highest at the largest k.',
  source: 'Chanin and Garriga-Alonso 2025, arXiv 2508.16560',
  minutes: 17,
  async run({ backend, quick, seed, update }) {
    const { seeds, steps, recipe, ks } = quick ? QUICK : FULL;
    const bySeed: Scores[][] = [];
    for (let s = 0; s < seeds; s++) {
      const distribution = orthogonalToy(seed + s);
      const wanted = ks.map((k) => ({
        dictionary: familyOptions.parse({ family: 'batchtopk', latents: LATENTS, k }),
      }));
      const dictionaries = await trainDictionaries(backend, distribution, wanted, {
        firstBlock: TEST_ROWS / BLOCK_ROWS,
        steps,
        seed: seed + s,
        ...recipe,
        afterStep: (step) => update(s * steps + step, seeds * steps),
      });
      const test = await distribution.draw(backend, 0, TEST_ROWS);
      const { directions } = distribution;
      const scores: Scores[] = [];
      for (const [i, k] of ks.entries())
        scores.push(await score(backend, dictionaries[i], { k, directions, test }));
      bySeed.push(scores);
    }

    const each = (of: (scores: Scores[]) => number) => bySeed.map(of);
    const best = (key: keyof Scores, sign: number) =>
      each((scores) => scores.reduce((a, b) => (sign * b[key] > sign * a[key] ? b : a)).k);
    const near = { low: 10, high: 12 };
    const below = (scores: Scores[]) => scores.filter(({ k }) => k <= 9);
    const findings = [
      overSeeds('k at which c_dec is least', best('decoderCosine', -1), { predicted: near }),
      overSeeds(`k at which s_${RANK} is least`, best('projection', -1), { predicted: near }),
      overSeeds(
        'MCC at k = 11',
        each((scores) => scores.find(({ k }) => k === TRUE_L0)!.mcc),
        {
          predicted: { low: 0.93 },
        },
      ),
      overSeeds(
        'explained variance less that of the true features, least over k <= 9',
        each((scores) => Math.min(...below(scores).map((at) => at.explained - at.explainedByTruth))),
        { predicted: { low: 0 } },
      ),
      overSeeds('k at which most variance is explained', best('explained', 1), {
        predicted: { low: 13 },
      }),
    ];
    return { findings, figures: pictures(bySeed), ...judge(findings) };
  },
};

async function score(
  backend: Backend,
  dictionary: Dictionary,
  { k, directions, test: { x, labels } }: { k: number; directions: Float32Array; test: Samples },
): Promise<Scores> {
  const { width, latents, decoderWeight, decoderBias } = dictionary;
  const rows = labels.rows;
  const codes = await encode(backend, dictionary, x, rows);
  const matched = await scoreDirections(backend, decoderWeight, directions, width);
  const firings = scoreFirings({ codes, labels, features: directions.length / width, ...matched });
  const chosen = await backend.encodeBatchTopK({
    x,
    rows,
    width,
    weight: directions,
    bias: new Float32Array(latents),
    columns: latents,
    total: k * rows,
  });
  const byTruth = new Float32Array(x.length);
  await backend.decode({ codes: chosen, weight: directions, width, out: byTruth });
  const projections = await products(backend, x, { rows, width, weight: decoderWeight, bias: decoderBias });
  return {
    k,
    mcc: matched.mcc,
    f1: firings.byFeature.mean.f1,
    f1OfLatents: firings.byLatent.mean.f1,
    decoderCosine: matched.decoderCosine,
    projection: projections.sort()[projections.length - 1 - RANK * rows],
    explained: 1 - unexplained(await decode(backend, dictionary, codes, x), x, width),
    explainedByTruth: 1 - unexplained(byTruth, x, width),
  };
}

/** `(x - bias) weight^T`, `[rows, columns]`, flat. */
async function products(
  backend: Backend,
  x: Float32Array,
  of: { rows: number; width: number; weight: Float32Array; bias: Float32Array },
): Promise<Float32Array> {
  const { rows, width, weight, bias } = of;
  const centered = x.map((value, at) => value - bias[at % width]);
  const columns = weight.length / width;
  const out = new Float32Array(rows * columns);
  await backend.linear({ x: centered, rows, weight: backend.pack(weight, columns, width), out });
  return out;
}

function pictures(bySeed: readonly Scores[][]) {
  const long = (lines: Partial<Record<keyof Scores, string>>) =>
    bySeed.flatMap((scores, seed) =>
      scores.flatMap((at) =>
        Object.entries(lines).map(([key, line]) => ({ seed, k: at.k, line, value: at[key as keyof Scores] })),
      ),
    );
  const draw = (name: string, caption: string, lines: Partial<Record<keyof Scores, string>>) => {
    const data = long(lines);
    return figure(name, caption, data, {
      x: { label: 'k' },
      y: { label: null, grid: true, zero: true },
      color: { domain: Object.values(lines), range: COLOURS },
      marks: [
        Plot.ruleX([TRUE_L0], { strokeDasharray: '3 3', stroke: 'currentColor' }),
        Plot.line(data, Plot.groupX({ y: 'mean' }, { x: 'k', y: 'value', stroke: 'line' })),
        Plot.dot(data, { x: 'k', y: 'value', stroke: 'line', r: 2.5 }),
      ],
    });
  };
  return [
    draw(
      'truth',
      'Whether the features are right, against k: MCC, and F1 of firing, of features and of latents. The line marks the true L0.',
      { mcc: 'MCC', f1: 'F1', f1OfLatents: 'F1 of latents' },
    ),
    draw('decoder', 'What the decoder says of itself, against k: c_dec and s_18.', {
      decoderCosine: 'c_dec',
      projection: `s_${RANK}`,
    }),
    draw('explained', 'Explained variance against k, of the trained dictionary and of the true features.', {
      explained: 'trained',
      explainedByTruth: 'true features',
    }),
  ];
}
