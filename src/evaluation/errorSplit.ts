/**
 * Whose error it is: a dictionary's directions may be wrong, or its encoder may read right directions badly. Each of two
 * dictionaries, the learned one and the true one, is read by an encoder (one matrix product) and by two oracles that are
 * given as many active latents; Pacela et al. 2026 (arXiv 2603.28744) split the error so. Where the true features are not
 * known there is no such split. It must not know how the dictionary was trained.
 */
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import { clusterBootstrap, type Interval } from '../math/bootstrap.ts';
import type { Samples } from '../toy/distribution.ts';
import { blocksOf, sumOverBlocks } from './blocks.ts';
import { type DirectionScores, scoreDirections } from './groundTruth.ts';
import { countFirings, firingScores } from './groundTruthFirings.ts';
import { lassoAtL0 } from './inference/nonNegativeLasso.ts';
import { orthogonalPursuit } from './inference/orthogonalPursuit.ts';
import type { Inference } from './inference/problem.ts';

/** One dictionary as one reader reads it. */
export interface Reading {
  readonly dictionary: 'learned' | 'true';
  /**
   * `encoder`: the dictionary's own; for the true one inner products with `x - b_dec`, of which the L0 strongest are kept.
   * `lasso`: `lassoAtL0`. `pursuit`: `orthogonalPursuit`, with the encoder's L0 in each row.
   */
  readonly reader: 'encoder' | 'lasso' | 'pursuit';
  /** Active latents in a row, on average. */
  readonly l0: number;
  /** `sum |x - x'|^2 / sum |x - mean|^2` */
  readonly fvu: Interval;
  /** Mean F1 of each feature with the latent that is paired with it. */
  readonly f1: Interval;
}

/** Two parts of an error, each with its interval; one is negative where its oracle does worse than what it is held against. */
export interface Split {
  /** What the encoder leaves or misses beyond the better oracle on the same directions. */
  readonly encoder: Interval;
  /**
   * What the better oracle leaves or misses on these directions beyond the better one on the true ones. Of the FVU it is
   * negative where L0 is below the true one: mixtures of features explain more then than the features do (Chanin and
   * Garriga-Alonso 2025, arXiv 2508.16560).
   */
  readonly dictionary: Interval;
}

export interface ErrorSplit {
  readonly readings: readonly Reading[];
  /** Of the FVU. */
  readonly fvu: Split;
  /** Of the F1, as what is lost of it. */
  readonly f1: Split;
}

/**
 * Splits the error of an autoencoder on `samples` of the features `directions [features, width]`. Intervals are over
 * `draws` of blocks of samples. RangeError where the dictionary has a skip path, a normalisation, or another output.
 */
export async function splitError(
  backend: Backend,
  dictionary: Dictionary,
  { directions, samples }: { directions: Float32Array; samples: Samples },
  draws: readonly Uint16Array[],
): Promise<ErrorSplit> {
  const { width, outputWidth, skip, normalisation, decoderBias } = dictionary;
  if (outputWidth !== width || skip || normalisation)
    throw new RangeError(
      'dictionary: an error is split of an autoencoder without skip path or normalisation',
    );
  const { x, labels } = samples;
  const rows = labels.rows;
  const codes = await encode(backend, dictionary, x, rows);
  const centered = new Float32Array(x.length);
  await backend.center({ x, center: decoderBias, rows, width, scale: 1, out: centered });
  const problem = { backend, x: centered, rows, width };
  const budget = Uint32Array.from({ length: rows }, (_, r) => codes.offsets[r + 1] - codes.offsets[r]);
  const l0 = codes.values.length / rows;
  const learned = await unit(backend, dictionary.decoderWeight, width);
  const truth = await unit(backend, directions, width);
  const features = truth.length / width;
  const matches = {
    learned: await scoreDirections(backend, learned, directions, width),
    true: await scoreDirections(backend, truth, directions, width),
  };
  const sum = createSummary({ backend, samples, draws, features, matches, bias: decoderBias });
  const topk = { width, bias: new Float32Array(features), columns: features, k: Math.max(1, Math.round(l0)) };
  const byProducts = await backend.encodeTopK({ x: centered, rows, weight: truth, ...topk });
  const oracles = async (inference: Inference) => ({
    lasso: await lassoAtL0(inference, l0),
    pursuit: await orthogonalPursuit(inference, budget),
  });
  const ofLearned = await oracles({ ...problem, directions: learned });
  const ofTruth = await oracles({ ...problem, directions: truth });
  const readings = [
    await sum('learned', 'encoder', codes, dictionary.decoderWeight),
    await sum('learned', 'lasso', ofLearned.lasso, learned),
    await sum('learned', 'pursuit', ofLearned.pursuit, learned),
    await sum('true', 'encoder', byProducts, truth),
    await sum('true', 'lasso', ofTruth.lasso, truth),
    await sum('true', 'pursuit', ofTruth.pursuit, truth),
  ];
  const split = (lossOf: (reading: Summary) => (weights: Float64Array) => number): Split => {
    const [own, ...losses] = readings.map(lossOf);
    const between = (a: Loss, b: Loss) =>
      clusterBootstrap({ clusters: draws[0].length, statistic: (w) => a(w) - b(w), draws });
    const ofDirections = better(losses[0], losses[1]);
    return {
      encoder: between(own, ofDirections),
      dictionary: between(ofDirections, better(losses[3], losses[4])),
    };
  };
  return {
    readings: readings.map(({ reading }) => reading),
    fvu: split(({ unexplained }) => unexplained),
    f1: split(({ missed }) => missed),
  };
}

/** A share that is lost in samples of which block b was drawn `weights[b]` times. */
type Loss = (weights: Float64Array) => number;

interface Summary {
  readonly reading: Reading;
  readonly unexplained: Loss;
  readonly missed: Loss;
}

function better(a: Loss, b: Loss): Loss {
  return (weights) => Math.min(a(weights), b(weights));
}

/** Measures what codes decode to and when they fire. */
function createSummary({
  backend,
  samples: { x, labels },
  draws,
  features,
  matches,
  bias,
}: {
  backend: Backend;
  samples: Samples;
  draws: readonly Uint16Array[];
  features: number;
  matches: Readonly<Record<Reading['dictionary'], DirectionScores>>;
  bias: Float32Array;
}) {
  const rows = labels.rows;
  const width = bias.length;
  const clusters = draws[0].length;
  const blockOf = blocksOf(rows, clusters);
  const variance = varianceOf(x, width, blockOf, clusters);
  return async (
    dictionary: Reading['dictionary'],
    reader: Reading['reader'],
    codes: SparseRows,
    weight: Float32Array,
  ): Promise<Summary> => {
    const out = new Float32Array(x.length);
    const squares = new Float32Array(rows);
    await backend.decode({ codes, weight, bias, width, out });
    await backend.residual({ a: out, b: x, rows, width, scale: 1, out, squares });
    const errors = new Float64Array(clusters);
    squares.forEach((square, row) => {
      errors[blockOf[row]] += square;
    });
    const counts = countFirings({ codes, labels, features, ...matches[dictionary] }, clusters);
    const unexplained = (weights: Float64Array) =>
      errors.reduce((sum, error, b) => sum + weights[b] * error, 0) / variance(weights);
    const missed = (weights: Float64Array) => 1 - firingScores(counts, weights).byFeature.mean.f1;
    return {
      reading: {
        dictionary,
        reader,
        l0: codes.values.length / rows,
        fvu: clusterBootstrap({ clusters, statistic: unexplained, draws }),
        f1: clusterBootstrap({ clusters, statistic: (weights) => 1 - missed(weights), draws }),
      },
      unexplained,
      missed,
    };
  };
}

/** `sum |x - mean|^2` of weighted blocks, about their own mean. */
function varianceOf(x: Float32Array, width: number, blockOf: Uint32Array, blocks: number): Loss {
  const total = new Float64Array(blocks * width);
  const [square, count] = [new Float64Array(blocks), new Float64Array(blocks)];
  blockOf.forEach((block, row) => {
    count[block]++;
    for (let c = 0; c < width; c++) {
      const value = x[row * width + c];
      total[block * width + c] += value;
      square[block] += value * value;
    }
  });
  return (weights) => {
    let [squares, rows] = [0, 0];
    const sums = sumOverBlocks(total, weights);
    for (let b = 0; b < blocks; b++) {
      squares += weights[b] * square[b];
      rows += weights[b] * count[b];
    }
    return squares - sums.reduce((sum, value) => sum + value * value, 0) / rows;
  };
}

async function unit(backend: Backend, rows: Float32Array, width: number): Promise<Float32Array> {
  const weight = rows.slice();
  await backend.unitRows({ weight, rows: rows.length / width, width });
  return weight;
}
