/**
 * Whose error it is: a dictionary's directions may be wrong, or its encoder may read right directions badly. Each of two
 * dictionaries, the learned one and the true one, is read by an encoder (one matrix product) and by two oracles that are
 * given as many active latents; Pacela et al. 2026 (arXiv 2603.28744) split the error so. Where the true features are not
 * known there is no such split. It must not know how the dictionary was trained.
 */
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import { clusterBootstraps, type Interval } from '../math/bootstrap.ts';
import type { Samples } from '../toy/distribution.ts';
import { blocksOf, sumOverBlocks } from './blocks.ts';
import { scoreDirections } from './groundTruth.ts';
import { countFirings, firingScores } from './groundTruthFirings.ts';
import { lassoAtL0 } from './inference/nonNegativeLasso.ts';
import { orthogonalPursuit } from './inference/orthogonalPursuit.ts';

/** One dictionary as one reader reads it. */
export interface Reading {
  readonly dictionary: 'learned' | 'true';
  /**
   * `encoder`: the dictionary's own; for the true one inner products with `x - b_dec`, of which the strongest of all
   * samples are kept, as many as the learned one has active.
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
export interface ErrorParts {
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
  readonly fvu: ErrorParts;
  /** Of the F1, as what is lost of it. */
  readonly f1: ErrorParts;
}

/**
 * Splits the error of an autoencoder on `samples` of the features `directions [features, width]`. Intervals are over
 * `draws` of blocks of samples. RangeError where the dictionary has a skip path, a normalisation, or another output.
 */
export async function splitError(
  backend: Backend,
  dictionary: Dictionary,
  world: { directions: Float32Array; samples: Samples },
  draws: readonly Uint16Array[],
): Promise<ErrorSplit> {
  const { width, outputWidth, skip, normalisation } = dictionary;
  if (outputWidth !== width || skip || normalisation)
    throw new RangeError(
      'dictionary: an error is split of an autoencoder without skip path or normalisation',
    );
  const clusters = draws[0].length;
  const readings = await readAll(backend, dictionary, world);
  const losses = await lossesOf(backend, readings, world, dictionary.decoderBias, clusters);
  const [fvu, missed] = (['fvu', 'missed'] as const).map((name) =>
    clusterBootstraps({
      clusters,
      draws,
      statistics: (weights) => {
        const each = losses.map((loss) => loss[name](weights));
        const [own, lasso, pursuit, , trueLasso, truePursuit] = each;
        const [onLearned, onTrue] = [Math.min(lasso, pursuit), Math.min(trueLasso, truePursuit)];
        const named = Object.fromEntries(each.map((loss, i) => [`${i}`, loss]));
        return { ...named, encoder: own - onLearned, dictionary: onLearned - onTrue };
      },
    }),
  ) as Record<string, Interval>[];
  return {
    readings: readings.map(({ dictionary, reader, codes }, i) => ({
      dictionary,
      reader,
      l0: codes.values.length / codes.rows,
      fvu: fvu[i],
      f1: found(missed[i]),
    })),
    fvu: { encoder: fvu.encoder, dictionary: fvu.dictionary },
    f1: { encoder: missed.encoder, dictionary: missed.dictionary },
  };
}

/** What is not missed. */
function found({ value, low, high, n }: Interval): Interval {
  return { value: 1 - value, low: 1 - high, high: 1 - low, n };
}

/** Codes that one reader makes with one dictionary, and what they multiply. */
interface Codes extends Pick<Reading, 'dictionary' | 'reader'> {
  readonly codes: SparseRows;
  readonly weight: Float32Array;
}

/** The six readings: of the learned dictionary and of the true one, by encoder, lasso and pursuit, in this order. */
async function readAll(
  backend: Backend,
  dictionary: Dictionary,
  { directions, samples }: { directions: Float32Array; samples: Samples },
): Promise<Codes[]> {
  const { width, decoderBias, decoderWeight } = dictionary;
  const { x, labels } = samples;
  const rows = labels.rows;
  const codes = await encode(backend, dictionary, x, rows);
  const centered = new Float32Array(x.length);
  await backend.center({ x, center: decoderBias, rows, width, scale: 1, out: centered });
  const features = directions.length / width;
  const [learned, truth] = [decoderWeight.slice(), directions.slice()];
  await backend.unitRows({ weight: learned, rows: dictionary.latents, width });
  await backend.unitRows({ weight: truth, rows: features, width });
  const byProducts = await backend.encodeBatchTopK({
    x: centered,
    rows,
    width,
    weight: truth,
    bias: new Float32Array(features),
    columns: features,
    // A dictionary that never fires is held against the truth at one active latent in all.
    total: Math.max(1, codes.values.length),
  });
  const budget = Uint32Array.from({ length: rows }, (_, r) => codes.offsets[r + 1] - codes.offsets[r]);
  const oracles = async (of: Reading['dictionary'], weight: Float32Array): Promise<Codes[]> => {
    const inference = { backend, x: centered, rows, width, directions: weight };
    const lasso = await lassoAtL0(inference, codes.values.length / rows);
    const pursuit = await orthogonalPursuit(inference, budget);
    return [
      { dictionary: of, reader: 'lasso', codes: lasso, weight },
      { dictionary: of, reader: 'pursuit', codes: pursuit, weight },
    ];
  };
  return [
    { dictionary: 'learned', reader: 'encoder', codes, weight: decoderWeight },
    ...(await oracles('learned', learned)),
    { dictionary: 'true', reader: 'encoder', codes: byProducts, weight: truth },
    ...(await oracles('true', truth)),
  ];
}

/** A share that is lost in samples of which block b was drawn `weights[b]` times. */
type Loss = (weights: Float64Array) => number;

/** Of each reading the FVU, and what is missed of the mean F1. */
async function lossesOf(
  backend: Backend,
  readings: readonly Codes[],
  { directions, samples: { x, labels } }: { directions: Float32Array; samples: Samples },
  bias: Float32Array,
  blocks: number,
): Promise<{ fvu: Loss; missed: Loss }[]> {
  const rows = labels.rows;
  const width = bias.length;
  const features = directions.length / width;
  const blockOf = blocksOf(rows, blocks);
  const variance = varianceOf(x, width, blockOf, blocks);
  const matches = {
    learned: await scoreDirections(backend, readings[0].weight, directions, width),
    true: await scoreDirections(backend, directions, directions, width),
  };
  return Promise.all(
    readings.map(async ({ dictionary, codes, weight }) => {
      const out = new Float32Array(x.length);
      const squares = new Float32Array(rows);
      await backend.decode({ codes, weight, bias, width, out });
      await backend.residual({ a: out, b: x, rows, width, scale: 1, out, squares });
      const errors = new Float64Array(blocks);
      squares.forEach((square, row) => {
        errors[blockOf[row]] += square;
      });
      const counts = countFirings({ codes, labels, features, ...matches[dictionary] }, blocks);
      return {
        fvu: (weights) => errors.reduce((sum, error, b) => sum + weights[b] * error, 0) / variance(weights),
        missed: (weights) => 1 - firingScores(counts, weights).byFeature.mean.f1,
      };
    }),
  );
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
