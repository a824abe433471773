/** Compression 4: how many bits a network's code spends on a given distortion, beside the least that any code could. */
import * as Plot from '@observablehq/plot';
import type { SparseRows } from '../kernels/backend.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { gaussianBits, sparseBits } from '../toy/bounds/rateDistortion.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import { independentFirings } from '../toy/independent.ts';
import { encoderOf, reluOutput, type ToyModel } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const FEATURES = 128;
const PROBABILITY = 0.02;
/** Of an amplitude that is there, and of a feature: `E a^2 - (E a)^2`. */
const AMPLITUDE_VARIANCE = 1 / 12;
const VARIANCE = PROBABILITY / 3 - (PROBABILITY / 2) ** 2;
/** Share of the variance that is left, at which bits are compared. */
const AT = 0.2;
const LEVELS = [2, 3, 4, 6, 8, 12, 16, 32, 64];
const FULL = { seeds: 5, hidden: [8, 16, 32, 64], rows: 2048, batch: 512, steps: 4000, learningRate: 3e-3 };
const QUICK = { seeds: 3, hidden: [16, 48], rows: 512, batch: 256, steps: 700, learningRate: 1e-2 };

interface Point {
  seed: number;
  hidden: number;
  levels: number;
  /** Bits of a sample. */
  bits: number;
  /** Share of the variance that is left. */
  distortion: number;
}

export const compressionBits: Experiment = {
  name: 'compression-bits',
  title: 'Compression 4: distortion against bits',
  claim:
    'A network in superposition is a lossy code of its features: for the same distortion its hidden layer carries fewer bits than the best ' +
    'code that knows nothing of sparsity, and more than a code that names which features fire.',
  prediction:
    '128 features that fire with probability .02: rounded to levels so that a fifth of the variance is lost, the hidden layer carries at most .8 times ' +
    'the bits that normals of the same covariance need (reverse water-filling), and 1.5 to 8 times those of support and amplitudes.',
  source:
    'Shannon 1959, "Coding theorems for a discrete source with a fidelity criterion"; the compression hypothesis of this project',
  minutes: 0.5,
  async run({ backend, quick, seed, update }) {
    const { seeds, hidden, rows, batch, steps, learningRate } = quick ? QUICK : FULL;
    const law = independentFirings({
      probabilities: new Float64Array(FEATURES).fill(PROBABILITY),
      amplitudes: UNIT_UNIFORM,
    });
    const { labels } = await drawLaw(backend, law, seed, 0, rows);
    const points: Point[] = [];
    for (const [h, m] of hidden.entries()) {
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(FEATURES, m),
        batch,
        steps,
        learningRate,
        schedule: { kind: 'linear', warmupSteps: 0 },
        instances: Array.from({ length: seeds }, (_, s) => ({ seed: seed + s, importance: 1 })),
        inputs: {
          kind: 'independent',
          probabilities: new Array<number>(seeds).fill(PROBABILITY),
          low: 0,
          high: 1,
        },
        logEvery: Math.ceil(steps / 20),
        onLog: ({ step }) => update(h * steps + step, hidden.length * steps),
      });
      for (let s = 0; s < seeds; s++) {
        for (const levels of LEVELS)
          points.push({ seed: s, hidden: m, levels, ...rounded(model, s, labels, levels) });
        await new Promise(setImmediate);
      }
    }

    const sparse = (share: number) =>
      sparseBits(
        new Float64Array(FEATURES).fill(PROBABILITY),
        new Float64Array(FEATURES).fill(AMPLITUDE_VARIANCE),
        // What is lost of a feature on average is lost where it fires.
        (share * VARIANCE) / PROBABILITY,
      );
    const gaussian = (share: number) =>
      gaussianBits(new Float64Array(FEATURES).fill(VARIANCE), share * FEATURES * VARIANCE);
    const network = Array.from({ length: seeds }, (_, s) => {
      const enough = points.filter((point) => point.seed === s && point.distortion <= AT);
      return Math.min(...enough.map(({ bits }) => bits));
    });
    const findings = [
      overSeeds(
        `bits of the hidden layer over those of normals, at a distortion of ${AT}`,
        network.map((bits) => bits / gaussian(AT)),
        { predicted: { high: 0.8 } },
      ),
      overSeeds(
        `bits of the hidden layer over those of support and amplitudes, at a distortion of ${AT}`,
        network.map((bits) => bits / sparse(AT)),
        { predicted: { low: 1.5, high: 8 } },
      ),
      overSeeds(`bits of the hidden layer at a distortion of ${AT}`, network),
    ];
    const shares = Array.from({ length: 40 }, (_, i) => 0.02 * 50 ** (i / 40));
    const bounds = shares.flatMap((distortion) => [
      { line: 'normals of that covariance', distortion, bits: gaussian(distortion) },
      { line: 'support and amplitudes', distortion, bits: sparse(distortion) },
    ]);
    const measured = points.map((point) => ({ ...point, line: `m = ${point.hidden}` }));
    const data = [...measured, ...bounds];
    const domain = ['normals of that covariance', 'support and amplitudes', ...hidden.map((m) => `m = ${m}`)];
    const picture = figure(
      'bits',
      'Share of the variance that is lost against bits of a sample: hidden layers of m dimensions rounded to 2 to 64 levels, and two codes by theory.',
      data,
      {
        x: { label: 'bits', type: 'log' },
        y: { label: 'share of the variance lost', grid: true, domain: [0, 1.2], clamp: true },
        color: {
          domain,
          range: [COLOURS[2], COLOURS[1], COLOURS[0], COLOURS[3], COLOURS[4], 'currentColor'],
        },
        marks: [
          Plot.line(bounds, { x: 'bits', y: 'distortion', stroke: 'line', strokeWidth: 2 }),
          Plot.dot(measured, { x: 'bits', y: 'distortion', stroke: 'line', r: 2 }),
        ],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};

/**
 * An instance on `labels`, each dimension of its hidden layer rounded to the middle of one of so many equal intervals of its
 * range. Bits: the entropies of the dimensions' intervals, summed, which is what coding them one by one takes.
 */
function rounded(
  model: ToyModel,
  instance: number,
  { rows, offsets, indices, values }: SparseRows,
  levels: number,
): { bits: number; distortion: number } {
  const { features: n, hidden: m } = model.architecture;
  const w = encoderOf(model, instance);
  const bias = model.bias!.subarray(instance * n, (instance + 1) * n);
  const h = new Float64Array(rows * m);
  for (let r = 0; r < rows; r++) {
    for (let e = offsets[r]; e < offsets[r + 1]; e++)
      for (let j = 0; j < m; j++) h[r * m + j] += values[e] * w[indices[e] * m + j];
  }
  let bits = 0;
  for (let j = 0; j < m; j++) {
    const counts = new Float64Array(levels);
    let [low, high] = [Infinity, -Infinity];
    for (let r = 0; r < rows; r++) {
      low = Math.min(low, h[r * m + j]);
      high = Math.max(high, h[r * m + j]);
    }
    const width = (high - low) / levels;
    if (!(width > 0)) continue;
    for (let r = 0; r < rows; r++) {
      const level = Math.min(levels - 1, Math.floor((h[r * m + j] - low) / width));
      counts[level]++;
      h[r * m + j] = low + (level + 0.5) * width;
    }
    for (const count of counts) if (count > 0) bits -= (count / rows) * Math.log2(count / rows);
  }
  let left = 0;
  const x = new Float64Array(n);
  for (let r = 0; r < rows; r++) {
    x.fill(0);
    for (let e = offsets[r]; e < offsets[r + 1]; e++) x[indices[e]] = values[e];
    for (let i = 0; i < n; i++) {
      let y = bias[i];
      for (let j = 0; j < m; j++) y += h[r * m + j] * w[i * m + j];
      left += (x[i] - Math.max(0, y)) ** 2;
    }
  }
  return { bits, distortion: left / (rows * n * VARIANCE) };
}
