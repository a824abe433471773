/** Latents that fire on the same tokens. It must not know what latents are of. */
import type { CoFiring, Firings } from '../../evaluation/composition/cofiring.ts';
import { largest } from '../../math/largest.ts';

/** A companion fires on the same tokens by chance with less than this probability, over the number of latents it is found among. */
export const COMPANION_LEVEL = 0.05;
/** Latents that are counted exactly for each one that is listed: the best by a sample of the rows. */
const CANDIDATES = 2;

export interface Companion {
  readonly latent: number;
  /** `P(both) / (P(a) P(b))` */
  readonly lift: number;
  /** Tokens on which both fire. */
  readonly both: number;
}

/**
 * The latents that fire most closely together with `latent`, the closest first, `listed` at most: those that share more tokens
 * than firings shuffled within each document would, by normalised pointwise mutual information, `ln lift / -ln P(both)`: 1 where
 * the two always fire together, however rarely, 0 where by chance (Bouma, "Normalized (pointwise) mutual information in
 * collocation extraction", 2009). Lift alone would put the rarest first.
 */
export function companionsOf(firings: Firings, latent: number, listed: number): Companion[] {
  const count = firings.count(latent);
  const { others, counts, sampled } = firings.with(latent);
  const together = (i: number) => (counts[others[i]] * count) / sampled;
  const near = largest(others.length, CANDIDATES * listed, (i) =>
    closeness(firings, count, firings.count(others[i]), together(i)),
  );
  const rows = firings.of(latent);
  const found = near
    .map((i): [number, CoFiring] => [others[i], firings.together(rows, firings.of(others[i]))])
    .filter(([, { more }]) => more < COMPANION_LEVEL / firings.latents);
  const close = largest(found.length, listed, (i) => {
    const [other, { both }] = found[i];
    return closeness(firings, count, firings.count(other), both);
  });
  return close.map((i) => {
    const [other, { both }] = found[i];
    return { latent: other, lift: lift(firings, count, firings.count(other), both), both };
  });
}

function lift({ rows }: Firings, a: number, b: number, both: number): number {
  return (both * rows) / (a * b);
}

function closeness(firings: Firings, a: number, b: number, both: number): number {
  // Of two that fire on all rows, nothing can be said.
  const surprise = -Math.log(both / firings.rows);
  return surprise > 0 ? Math.log(lift(firings, a, b, both)) / surprise : -Infinity;
}
