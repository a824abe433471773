/**
 * Description length: the bits that name which latents fire on a sample, and how strongly, as finely as a given error of the
 * reconstruction takes. It must not know how dictionaries were trained, nor which L0 is right.
 */
import { type Dictionary, decode } from '../../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { binaryEntropy } from '../../math/entropy.ts';
import { unexplained } from '../unexplained.ts';
import type { HeldOut } from './projections.ts';

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
  const points: RatePoint[] = [];
  for (let i = -1; i < WIDTHS; i++) {
    const binWidth = i < 0 ? Infinity : 2 * Math.sqrt(square) * 2 ** -i;
    const { binned, bits } = inBins(codes, means, binWidth);
    const output = await decode(backend, dictionary, { ...codes, values: binned }, x);
    points.push({ bits, fvu: unexplained(output, x.subarray(0, rows * width), width) });
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
  const counts = Array.from(means, () => new Map<number, number>());
  for (let e = 0; e < indices.length; e++) {
    const j = indices[e];
    const bin = binWidth === Infinity ? 0 : Math.round((values[e] - means[j]) / binWidth);
    binned[e] = means[j] + (bin === 0 ? 0 : bin * binWidth);
    counts[j].set(bin, (counts[j].get(bin) ?? 0) + 1);
  }
  let bits = 0;
  for (const bins of counts) {
    const firings = [...bins.values()].reduce((sum, count) => sum + count, 0);
    if (firings === 0) continue;
    let nats = (bins.size - 1) / (2 * firings);
    for (const count of bins.values()) nats -= (count / firings) * Math.log(count / firings);
    bits += binaryEntropy(firings / rows) + (firings / rows) * (nats / Math.LN2);
  }
  return { binned, bits };
}
