/**
 * Which true features a dictionary found, which it missed, and which of its latents are no feature, held against as many random
 * directions. Cosines keep their sign: features and latents fire upwards only, so an antipode is another feature. It must not know
 * how the dictionary was trained.
 */
import { assign } from '../../../src/math/assignment.ts';
import { Random } from '../../../src/math/random.ts';
import { mean, quantile } from '../../../src/math/statistics.ts';
import { randomDirections } from '../../../src/toy/directions.ts';

/** Directions that have this cosine, 18 degrees apart, count as the same. */
export const SAME = 0.95;

export interface Recovery {
  /**
   * The latent that each feature is paired with, -1 where none: one to one, of all pairs that are the same direction as many as can
   * be, and of those pairings the one with the largest cosines. `[features]`
   */
  readonly pairedLatent: Int32Array;
  /** The largest cosine of each feature with a latent, -1 where there is none. `[features]` */
  readonly ofFeature: Float64Array;
  /** The feature that is nearest to each latent, of equals the first, and its cosine. `[latents]` */
  readonly nearestFeature: Int32Array;
  readonly ofLatent: Float64Array;
  readonly counts: RecoveryCounts;
}

/** Latents are found features, copies of them, or invented: `found + copies + invented` is their number. */
export interface RecoveryCounts {
  /** Features that a latent of their own is the same direction as. */
  readonly found: number;
  /** Latents that are the same as a feature which has another one, or shares it. */
  readonly copies: number;
  /** Latents that are the same as no feature. */
  readonly invented: number;
  /** The mean over features of the largest cosine with a latent, and over latents with a feature. */
  readonly meanOfFeatures: number;
  readonly meanOfLatents: number;
}

/** `features [n, width]` and `latents [F, width]`, rows of any length but zero. */
export function recoveryOf(features: ArrayLike<number>, latents: ArrayLike<number>, width: number): Recovery {
  const [n, F] = [features.length / width, latents.length / width];
  const nearestFeature = new Int32Array(F).fill(-1);
  const ofFeature = new Float64Array(n).fill(-1);
  const ofLatent = new Float64Array(F).fill(-1);
  // Of being the same a whole, and of the cosine less than all of them together could make of it.
  const gain = new Float64Array(n * F);
  const latentNorms = Float64Array.from({ length: F }, (_, j) => norm(latents, j, width));
  for (let i = 0; i < n; i++) {
    const own = norm(features, i, width);
    for (let j = 0; j < F; j++) {
      let dot = 0;
      for (let c = 0; c < width; c++) dot += features[i * width + c] * latents[j * width + c];
      const cosine = dot / (own * latentNorms[j]);
      if (cosine >= SAME) gain[i * F + j] = 1 + cosine / (2 * n);
      if (cosine > ofFeature[i]) ofFeature[i] = cosine;
      if (cosine > ofLatent[j]) [ofLatent[j], nearestFeature[j]] = [cosine, i];
    }
  }
  const { columnOfRow } = assign({ cost: gain, rows: n, columns: F, goal: 'maximise' });
  const pairedLatent = columnOfRow.map((j, i) => (j >= 0 && gain[i * F + j] > 0 ? j : -1));
  const found = pairedLatent.filter((j) => j >= 0).length;
  const real = ofLatent.filter((cosine) => cosine >= SAME).length;
  return {
    pairedLatent,
    ofFeature,
    nearestFeature,
    ofLatent,
    counts: {
      found,
      copies: real - found,
      invented: F - real,
      meanOfFeatures: mean(ofFeature),
      meanOfLatents: mean(ofLatent),
    },
  };
}

function norm(rows: ArrayLike<number>, row: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += rows[row * width + c] ** 2;
  return Math.sqrt(sum);
}

export interface Spread {
  readonly mean: number;
  /** The quantiles at .025 and .975. */
  readonly low: number;
  readonly high: number;
}

/** The null: the same counts of `latents` random directions, each equally likely, over `draws` of them. */
export function chanceRecovery(
  features: ArrayLike<number>,
  width: number,
  { latents, seed, draws }: { latents: number; seed: number; draws: number },
): Record<keyof RecoveryCounts, Spread> {
  const random = new Random(seed, 'playground', 'random dictionaries');
  const all = Array.from(
    { length: draws },
    () => recoveryOf(features, randomDirections(latents, width, random), width).counts,
  );
  return spreads(all);
}

/** How each count varies over several dictionaries. */
export function spreads(all: readonly RecoveryCounts[]): Record<keyof RecoveryCounts, Spread> {
  const names = Object.keys(all[0]) as (keyof RecoveryCounts)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = all.map((counts) => counts[name]);
      return [name, { mean: mean(values), low: quantile(values, 0.025), high: quantile(values, 0.975) }];
    }),
  ) as Record<keyof RecoveryCounts, Spread>;
}
