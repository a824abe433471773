/**
 * Description length: the bits that name which latents fire on a sample, and how strongly, as finely as a given error of the
 * reconstruction takes. It must not know how dictionaries were trained, nor which L0 is right.
 */
import { type Dictionary, decode } from '../../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { binaryEntropy } from '../../math/entropy.ts';
import { type HeldOut, meanRow } from './heldOut.ts';

/** Bin widths, each half of the one before. From the root mean square of values that fire on. */
const WIDTHS = 8;

/** A dictionary's code with values in bins of some width. */
export interface RatePoint {
  /** Of a sample. */
  readonly bits: number;
  /** Fraction of variance unexplained by the reconstruction from the binned values. */
  readonly fvu: number;
}

/**
 * Bits and distortion of `codes` of the held-out rows with values in ever finer bins: first with one value for each latent,
 * its mean where it fires; then with bins of width w around that mean, decoded to their centres, w from twice the root mean
 * square of all values down by halves. `bits = sum_j H(p_j) + p_j H(bins_j)`, p_j the share of rows on which latent j fires:
 * the code of "Interpretability as compression" (Ayonrinde et al. 2024, arXiv 2410.11179). H(bins) is corrected for few
 * firings by `(bins - 1) / 2n` nats (Miller, "Note on the bias of information estimates", 1955). What the decoder itself
 * takes is the same for all dictionaries of one shape, and left out.
 */
export async function rateDistortion(
  backend: Backend,
  dictionary: Dictionary,
  codes: SparseRows,
  { x, rows, width }: HeldOut,
): Promise<RatePoint[]> {
  const means = meanWhereFiring(codes, dictionary.latents);
  const square =
    codes.values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, codes.values.length);
  const squares = new Float32Array(rows);
  const left = new Float32Array(rows * width);
  await backend.center({ x, center: meanRow({ x, rows, width }), rows, width, scale: 1, out: left });
  const variance = await backend.sumOfSquares(left);
  const points: RatePoint[] = [];
  for (let i = -1; i < WIDTHS; i++) {
    const binWidth = i < 0 ? Infinity : 2 * Math.sqrt(square) * 2 ** -i;
    const { binned, bits } = inBins(codes, means, binWidth);
    const output = await decode(backend, dictionary, { ...codes, values: binned }, x);
    await backend.residual({ a: output, b: x, rows, width, scale: 1, out: left, squares });
    points.push({ bits, fvu: (await backend.sumOfSquares(left)) / variance });
  }
  return points;
}

/**
 * Bits at a distortion of `fvu`: between two of `points` (from coarse to fine) linear in the logarithm of the distortion; those of
 * the coarsest where that is better already; Infinity where the finest is worse.
 */
export function bitsAt(points: readonly RatePoint[], fvu: number): number {
  if (points[0].fvu <= fvu) return points[0].bits;
  for (let i = 1; i < points.length; i++) {
    const [coarse, fine] = [points[i - 1], points[i]];
    if (fine.fvu > fvu) continue;
    const share = Math.log(coarse.fvu / fvu) / Math.log(coarse.fvu / fine.fvu);
    return coarse.bits + share * (fine.bits - coarse.bits);
  }
  return Infinity;
}

function meanWhereFiring({ indices, values }: SparseRows, latents: number): Float64Array {
  const [sums, counts] = [new Float64Array(latents), new Float64Array(latents)];
  for (let e = 0; e < indices.length; e++) {
    sums[indices[e]] += values[e];
    counts[indices[e]]++;
  }
  return sums.map((sum, j) => (counts[j] > 0 ? sum / counts[j] : 0));
}

function inBins(
  { rows, indices, values }: SparseRows,
  means: Float64Array,
  binWidth: number,
): { binned: Float32Array; bits: number } {
  const binned = new Float32Array(values.length);
  const bins = new Int32Array(values.length);
  let [least, most] = [0, 0];
  for (let e = 0; e < values.length; e++) {
    const mean = means[indices[e]];
    const bin = binWidth === Infinity ? 0 : Math.round((values[e] - mean) / binWidth);
    bins[e] = bin;
    binned[e] = bin === 0 ? mean : mean + bin * binWidth;
    least = Math.min(least, bin);
    most = Math.max(most, bin);
  }
  const range = most - least + 1;
  const counts = new Uint32Array(means.length * range);
  for (let e = 0; e < bins.length; e++) counts[indices[e] * range + bins[e] - least]++;
  let bits = 0;
  for (let j = 0; j < means.length; j++) bits += bitsOf(counts.subarray(j * range, (j + 1) * range), rows);
  return { binned, bits };
}

/** Of one latent, from how often its values fall into each bin. */
function bitsOf(counts: Uint32Array, rows: number): number {
  let [firings, bins] = [0, 0];
  for (const count of counts) {
    firings += count;
    if (count > 0) bins++;
  }
  if (firings === 0) return 0;
  let nats = (bins - 1) / (2 * firings);
  for (const count of counts) if (count > 0) nats -= (count / firings) * Math.log(count / firings);
  return binaryEntropy(firings / rows) + (firings / rows) * (nats / Math.LN2);
}
