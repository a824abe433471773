/** Which latents of two dictionaries point the same way, and how well latents that mean nothing would. It must not know where dictionaries are kept. */
import type { Backend } from '../kernels/backend.ts';
import { bootstrapRatio, drawResamples, type Interval } from '../math/bootstrap.ts';
import { mixRows } from '../math/mixing.ts';
import { Random } from '../math/random.ts';
import { quantile } from '../math/statistics.ts';
import { nearestRows } from './evidence/nearest.ts';
import { MATCHING_NULLS, type MatchingNull } from './matchingNulls.ts';

/** Of the latents of a null, this share has a nearest row beyond the threshold. */
export const CHANCE = 0.01;
const RESAMPLES = 1000;

/** Of each latent of a dictionary, its nearest in another. */
export interface Matches {
  /** The latent of the other dictionary whose decoder row has the largest cosine with its own. `[latents]` */
  readonly other: Int32Array;
  /** That cosine, with its sign. `[latents]` */
  readonly cosine: Float64Array;
  /** 1 where it is the nearest of that latent in turn. `[latents]` */
  readonly mutual: Uint8Array;
}

export interface MatchSummary {
  /** Share of latents that are matched: mutual, and of a cosine above the threshold. */
  readonly matched: Interval;
  /** Mean cosine of a latent and its nearest. */
  readonly cosine: Interval;
}

export interface Matching {
  readonly matches: Matches;
  /** The cosine that a share of `CHANCE` of the latents exceeds in the null that does best. */
  readonly threshold: number;
  readonly own: MatchSummary;
  readonly nulls: readonly (MatchSummary & { readonly name: MatchingNull })[];
}

/** Matches the rows of `decoder [latents, width]` with those of `other [others, width]`; intervals are over latents. */
export async function matchDecoders(
  backend: Backend,
  decoder: Float32Array,
  other: Float32Array,
  width: number,
  seed: number,
): Promise<Matching> {
  const matches = await matchRows(backend, decoder, other, width);
  const others = other.length / width;
  const directions = new Float32Array(other.length);
  new Random(seed, 'matching', 'random').fillNormal(directions, 1);
  const inPlace: Record<MatchingNull, Float32Array> = {
    mixed: others > 1 ? mixRows(other, others, new Random(seed, 'matching', 'mixed')) : directions,
    random: directions,
  };
  const nothing: { name: MatchingNull; matches: Matches }[] = [];
  for (const name of MATCHING_NULLS)
    nothing.push({ name, matches: await matchRows(backend, decoder, inPlace[name], width) });
  const threshold = Math.max(...nothing.map((one) => quantile(one.matches.cosine, 1 - CHANCE)));
  const latents = decoder.length / width;
  const draws = drawResamples(latents, RESAMPLES, new Random(seed, 'matching', 'resamples'));
  const summary = ({ cosine, mutual }: Matches): MatchSummary => {
    const one = { denominators: new Float64Array(latents).fill(1), draws };
    const matched = cosine.map((value, i) => Number(mutual[i] === 1 && value > threshold));
    return {
      matched: bootstrapRatio({ ...one, numerators: matched }),
      cosine: bootstrapRatio({ ...one, numerators: cosine }),
    };
  };
  return {
    matches,
    threshold,
    own: summary(matches),
    nulls: nothing.map((one) => ({ name: one.name, ...summary(one.matches) })),
  };
}

async function matchRows(
  backend: Backend,
  decoder: Float32Array,
  other: Float32Array,
  width: number,
): Promise<Matches> {
  const there = await nearestRows(backend, decoder, width, other);
  const back = await nearestRows(backend, other, width, decoder);
  const mutual = Uint8Array.from(there.row, (row, latent) => Number(row >= 0 && back.row[row] === latent));
  return { other: there.row, cosine: there.cosine, mutual };
}
