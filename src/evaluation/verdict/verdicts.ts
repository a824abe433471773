/**
 * From the scores of all latents of a dictionary to verdicts, with the false-discovery rate controlled across them. It must not
 * know what scores are made of.
 */
import { falseDiscoveryRates } from '../../math/falseDiscovery.ts';
import { mean } from '../../math/statistics.ts';
import { falseTail, probabilityOf, trueTail, type VerdictModel } from './model.ts';

export const VERDICTS = ['supported', 'unsupported', 'undecided'] as const;
export type LatentVerdict = (typeof VERDICTS)[number];

export interface Verdicts {
  /** `undecided` also where nothing is known of a latent (too few firings), and where its remainder speaks against a high score. */
  readonly verdict: readonly LatentVerdict[];
  /** The calibrated probability that it is true; NaN where nothing is known. */
  readonly probability: Float64Array;
  /** Share of the dictionary's latents that are true, on the mean of the probabilities. */
  readonly trueShare: number;
}

/** Even a dictionary in which all seems true, or false, is taken to have so large a share of the others. */
const LEAST_SHARE = 0.05;

/**
 * _Supported_: the latents for which "it is false" is rejected at a false-discovery rate of `level`, by conformal p-values, the
 * shares of false latents of worlds with known features that score as high (Bates et al., "Testing for outliers with conformal
 * p-values", Annals of Statistics 51, 2023), and the procedure of Benjamini and Hochberg, adapted to the share of false
 * hypotheses (Storey, JRSS B 64, 2002), which the calibrated probabilities estimate. _Unsupported_: those for which "it
 * is true" is, in the same way. `scores [latents]`, NaN for latents of which nothing is known. A latent of which a wider dictionary has
 * more beside its nearest than true latents leave (`remainders [latents]`, NaN where not known) is not supported, whatever its
 * score: all dictionaries may merge features alike, and a score that comes from their agreement cannot tell.
 */
export function verdictsOf(
  model: VerdictModel,
  scores: Float64Array,
  level: number,
  remainders?: Float64Array,
): Verdicts {
  if (!(level > 0 && level < 1)) throw new RangeError(`level: expected a rate in (0, 1), not ${level}`);
  const probability = scores.map((score) => probabilityOf(model, score));
  const judged = [...scores.keys()].filter((j) => !Number.isNaN(scores[j]));
  const trueShare = mean(judged.map((j) => probability[j]));
  const rejected = (tail: typeof falseTail, share: number) => {
    const rates = falseDiscoveryRates(judged.map((j) => tail(model, scores[j])));
    return new Set(judged.filter((_, i) => rates[i] * Math.max(LEAST_SHARE, share) <= level));
  };
  const notFalse = rejected(falseTail, 1 - trueShare);
  const notTrue = rejected(trueTail, trueShare);
  const verdict = Array.from(scores, (_, j): LatentVerdict => {
    if (notFalse.has(j) === notTrue.has(j)) return 'undecided';
    if (notTrue.has(j)) return 'unsupported';
    return remainders && remainders[j] > model.mostRemainder ? 'undecided' : 'supported';
  });
  return { verdict, probability, trueShare };
}
