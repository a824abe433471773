/**
 * Each measure of the evidence for a latent beside how it is spread over the latents of the dictionary and of its nulls. It must not
 * know how that is drawn, or put into words.
 */
import { EVIDENCE_MEANINGS, type EvidenceMeaning } from '../../../src/report/evidenceList.ts';
import {
  EVIDENCE_QUANTILES,
  type EvidenceMeasure,
  type EvidenceSummary,
  type LatentEvidence,
} from '../../../src/runs/evidenceSchema.ts';

/** One measure over the latents of one dictionary. */
export interface Spread {
  readonly name: string;
  /** At `EVIDENCE_QUANTILES`. */
  readonly quantiles: readonly number[];
  /** The share of its latents that are below the latent at hand; where less is better, above it. */
  readonly beaten: number;
}

export interface Strip extends EvidenceMeaning {
  readonly measure: EvidenceMeasure;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The latents of the dictionary itself; undefined where it is not stored. */
  readonly own: Spread | undefined;
  readonly nulls: readonly Spread[];
  /** The null of which the latent beats the smallest share. */
  readonly hardest: Spread | undefined;
  /** Ends of the axis. */
  readonly from: number;
  readonly to: number;
}

/** Where a random direction stands in causal effects, by how they are measured. */
export const NO_EFFECT = 0;
/** Effects are beside a random direction already, so no null has any. */
export function isEffect(measure: EvidenceMeasure): boolean {
  return measure === 'ablated' || measure === 'added';
}

/** The measures that are known of the latent, in the order of their list. */
export function stripsOf(
  latent: LatentEvidence,
  { dictionaries }: Pick<EvidenceSummary, 'dictionaries'>,
): Strip[] {
  const measures = Object.keys(EVIDENCE_MEANINGS) as EvidenceMeasure[];
  return measures
    .filter((measure) => !Number.isNaN(latent[measure]))
    .map((measure) => {
      const meaning = EVIDENCE_MEANINGS[measure];
      const value = latent[measure];
      const spreads = dictionaries.map(({ name, distributions }): Spread | undefined => {
        const quantiles = distributions?.[measure]?.quantiles;
        return quantiles && { name, quantiles, beaten: beatenShare(quantiles, value, meaning.better) };
      });
      const [own, ...others] = spreads;
      const nulls = others.filter((one) => one !== undefined);
      const [low, high] = [latent[`${measure}Low`], latent[`${measure}High`]];
      return {
        ...meaning,
        measure,
        value,
        low,
        high,
        own,
        nulls,
        hardest: nulls.reduce<Spread | undefined>(
          (least, one) => (least && least.beaten <= one.beaten ? least : one),
          undefined,
        ),
        ...axisOf(
          [value, low, high, ...(isEffect(measure) ? [NO_EFFECT] : [])],
          own ? [own, ...nulls] : nulls,
        ),
      };
    });
}

/** All that is marked on it, and the middle nine tenths of every dictionary, with a little room. */
function axisOf(marks: readonly number[], spreads: readonly Spread[]): { from: number; to: number } {
  const ends = spreads.flatMap(({ quantiles }) => [quantiles[1], quantiles[quantiles.length - 2]]);
  const known = [...marks, ...ends].filter(Number.isFinite);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const room = (most - least || Math.abs(most) || 1) * 0.04;
  return { from: least - room, to: most + room };
}

/** The share below `value`, or above it where `lower` is better, linear between quantiles. */
function beatenShare(quantiles: readonly number[], value: number, better?: 'higher' | 'lower'): number {
  return better === 'lower'
    ? shareBelow(quantiles.map((one) => -one).reverse(), -value)
    : shareBelow(quantiles, value);
}

function shareBelow(quantiles: readonly number[], value: number): number {
  if (value <= quantiles[0]) return 0;
  const above = quantiles.findIndex((one) => one >= value);
  if (above < 0) return 1;
  const [from, to] = [quantiles[above - 1], quantiles[above]];
  const [p, next] = [EVIDENCE_QUANTILES[above - 1], EVIDENCE_QUANTILES[above]];
  return p + ((next - p) * (value - from)) / (to - from);
}
