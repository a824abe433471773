/**
 * Decoder rows against the true directions of a world with known features. Cosines are taken without their sign, as the
 * field does, so a row that points the other way counts as found; whether it fires rightly is for
 * `groundTruthFirings.ts` to say. It must not know where either set of directions comes from.
 */
import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { assign } from '../math/assignment.ts';
import { firstNonFinite } from '../math/finite.ts';
import { Random } from '../math/random.ts';
import { decoderCosine, eachCosine } from './cosines.ts';

/** F latents with decoder rows `w_j`, n features with directions `d_i`, `c_ji = |cos(w_j, d_i)|`; 0 where w_j is 0. */
export interface DirectionScores {
  /**
   * MCC: `sum c / min(F, n)` over the pairs of the one-to-one matching that makes the sum greatest. O'Neill et al. 2024
   * (arXiv 2411.13117), SynthSAEBench (arXiv 2602.14687). With F < n, features that no latent is left for cost nothing.
   */
  mcc: number;
  /** `sum c / n` over the same pairs: features without a latent count 0. At most F / n; the same as `mcc` where F >= n. */
  mccOverFeatures: number;
  /**
   * MMCS from latents to features, `mean_j max_i c_ji`: low where latents are no features. Sharkey et al. 2022, Cunningham
   * et al. 2023 (arXiv 2309.08600).
   */
  mmcsOfLatents: number;
  /** MMCS from features to latents, `mean_i max_j c_ji`: low where features are missed. */
  mmcsOfFeatures: number;
  /** Features that are the nearest to some latent, divided by F (SynthSAEBench). At most n / F. */
  uniqueness: number;
  /**
   * c_dec, `mean_{j<l} |cos(w_j, w_l)|`: needs no truth; least at the true L0 where features are nearly orthogonal. Chanin
   * and Garriga-Alonso 2025 (arXiv 2508.16560). NaN of fewer than two latents.
   */
  decoderCosine: number;
  /** `argmax_i c_ji` for each latent, the first of equals; -1 where w_j is 0. `[F]` */
  nearestFeature: Int32Array;
  /** The feature that the one-to-one matching pairs with each latent, -1 where none. `[F]` */
  pairedFeature: Int32Array;
  /** `c_ji`, `[F, n]`. */
  cosines: Float64Array;
}

/**
 * Scores of `decoder [latents, width]` against `directions [features, width]`; neither need be of unit length. InputError
 * where there are no rows, or a value is NaN or infinite. Holds `[latents, features]`; O(latents^2 width) for c_dec.
 */
export async function scoreDirections(
  backend: Backend,
  decoder: Float32Array,
  directions: Float32Array,
  width: number,
): Promise<DirectionScores> {
  const latents = rowsOf(decoder, width, 'decoder');
  const features = rowsOf(directions, width, 'directions');
  const cosines = new Float64Array(latents * features);
  await eachCosine(backend, decoder, directions, width, (latent, feature, cosine) => {
    cosines[latent * features + feature] = Math.abs(cosine);
  });

  const nearestFeature = new Int32Array(latents).fill(-1);
  const ofLatent = new Float64Array(latents);
  const ofFeature = new Float64Array(features);
  for (let j = 0; j < latents; j++) {
    for (let i = 0; i < features; i++) {
      const cosine = cosines[j * features + i];
      if (cosine > ofFeature[i]) ofFeature[i] = cosine;
      if (cosine > ofLatent[j]) {
        ofLatent[j] = cosine;
        nearestFeature[j] = i;
      }
    }
  }
  const matching = assign({ cost: cosines, rows: latents, columns: features, goal: 'maximise' });
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return {
    mcc: matching.total / Math.min(latents, features),
    mccOverFeatures: matching.total / features,
    mmcsOfLatents: sum(ofLatent) / latents,
    mmcsOfFeatures: sum(ofFeature) / features,
    uniqueness: new Set(nearestFeature.filter((feature) => feature >= 0)).size / latents,
    decoderCosine: await decoderCosine(backend, decoder, width),
    nearestFeature,
    pairedFeature: matching.columnOfRow,
    cosines,
  };
}

/**
 * The null of `scoreDirections`: `latents` random unit directions, drawn from `seed`, in the decoder's place. Few
 * dimensions or many latents make all of these numbers large without anything learned.
 */
export async function scoreRandomDirections(
  backend: Backend,
  random: { latents: number; seed: number },
  directions: Float32Array,
  width: number,
): Promise<DirectionScores> {
  const decoder = new Float32Array(random.latents * width);
  new Random(random.seed, 'random directions').fillNormal(decoder, 1);
  return scoreDirections(backend, decoder, directions, width);
}

function rowsOf(values: Float32Array, width: number, name: string): number {
  const rows = values.length / width;
  if (!Number.isInteger(rows) || rows < 1)
    throw new InputError(`${name}: ${values.length} values are not rows of width ${width}; check the shape`);
  const bad = firstNonFinite(values);
  if (bad >= 0) {
    throw new InputError(
      `${name}: row ${Math.floor(bad / width)}, column ${bad % width} is ${values[bad]}, not finite; ` +
        'the file may be damaged or the training diverged',
    );
  }
  return rows;
}
