/**
 * Which true features a dictionary found, which it missed, and which of its latents are no feature, held against as many random
 * directions. Cosines keep their sign: features and latents fire upwards only, so an antipode is another feature. It must not know
 * how the dictionary was trained.
 */
import { Random } from '../../../src/math/random.ts';
import { quantile } from '../../../src/math/statistics.ts';
import { randomDirections } from '../../../src/toy/directions.ts';

/** Directions that have this cosine, 18 degrees apart, count as the same. */
export const SAME = 0.95;

export interface Recovery {
  /** The latent that is nearest to each feature, and its cosine; of equals the first. `[features]` */
  readonly nearestLatent: Int32Array;
  readonly ofFeature: Float64Array;
  /** The feature that is nearest to each latent, and its cosine. `[latents]` */
  readonly nearestFeature: Int32Array;
  readonly ofLatent: Float64Array;
  readonly counts: RecoveryCounts;
}

export interface RecoveryCounts {
  /** Features that some latent is the same as. */
  readonly found: number;
  /** Latents that are the same as no feature. */
  readonly invented: number;
  /** Latents that are the same as a feature beyond the first that is. */
  readonly copies: number;
  /** The mean over features of the largest cosine with a latent, and over latents with a feature. */
  readonly meanOfFeatures: number;
  readonly meanOfLatents: number;
}

/** `features [n, width]` and `latents [F, width]`, rows of any length but zero. */
export function recoveryOf(features: ArrayLike<number>, latents: ArrayLike<number>, width: number): Recovery {
  const [n, F] = [features.length / width, latents.length / width];
  const nearestLatent = new Int32Array(n).fill(-1);
  const nearestFeature = new Int32Array(F).fill(-1);
  const ofFeature = new Float64Array(n).fill(-1);
  const ofLatent = new Float64Array(F).fill(-1);
  const norm = (rows: ArrayLike<number>, i: number) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += rows[i * width + c] ** 2;
    return Math.sqrt(sum);
  };
  const latentNorms = Float64Array.from({ length: F }, (_, j) => norm(latents, j));
  for (let i = 0; i < n; i++) {
    const own = norm(features, i);
    for (let j = 0; j < F; j++) {
      let dot = 0;
      for (let c = 0; c < width; c++) dot += features[i * width + c] * latents[j * width + c];
      const cosine = dot / (own * latentNorms[j]);
      if (cosine > ofFeature[i]) [ofFeature[i], nearestLatent[i]] = [cosine, j];
      if (cosine > ofLatent[j]) [ofLatent[j], nearestFeature[j]] = [cosine, i];
    }
  }
  const same = (cosines: Float64Array) => cosines.filter((cosine) => cosine >= SAME).length;
  const [found, real] = [same(ofFeature), same(ofLatent)];
  const featuresOfLatents = new Set(nearestFeature.filter((_, j) => ofLatent[j] >= SAME)).size;
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    nearestLatent,
    ofFeature,
    nearestFeature,
    ofLatent,
    counts: {
      found,
      invented: F - real,
      copies: real - featuresOfLatents,
      meanOfFeatures: mean(ofFeature),
      meanOfLatents: mean(ofLatent),
    },
  };
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
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [name, { mean, low: quantile(values, 0.025), high: quantile(values, 0.975) }];
    }),
  ) as Record<keyof RecoveryCounts, Spread>;
}
