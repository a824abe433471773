/** What directions serve, in words, by fixed rules. It must not know of markup. */
import type { DirectionKind } from '../../../src/interpretation/atlas/shape.ts';
import { decimal } from '../../../src/report/numbers.ts';
import type { Atlas } from '../../../src/runs/atlasSchema.ts';
import type { Interval } from '../../../src/runs/schema.ts';
import type { KindName } from './names.ts';

type Directions = NonNullable<Atlas['directions']>;

/** Sentences: each kind's median, then how far the first kind is from the others. */
export function summaryWords(
  { kinds, gaps }: Directions,
  names: Record<DirectionKind, KindName>,
): { medians: string; gaps: string[] } {
  const medians = kinds
    .map(({ kind, effective }, i) =>
      i === 0
        ? `The middle ${names[kind].one} serves ${told(effective)} latents`
        : `the middle one of the ${names[kind].many} ${told(effective)}`,
    )
    .join(', ');
  return {
    medians: `${medians} (effective number, with its 95 % interval over documents).`,
    gaps: gaps.map(
      ({ of, less, effective }) =>
        `${names[of].many[0].toUpperCase()}${names[of].many.slice(1)} less ${names[less].many}: ${told(effective)}, ${gapMeaning(less, effective)}`,
    ),
  };
}

function gapMeaning(less: DirectionKind, { low, high }: Interval): string {
  const unlike =
    less === 'rotation'
      ? 'than directions that nothing singles out'
      : 'than the directions that the dictionary found';
  if (low === null || high === null) return 'which the data do not tell from nothing.';
  if (low > 0) return `so they mix more latents ${unlike}.`;
  if (high < 0) return `so they mix fewer latents ${unlike}.`;
  return 'which is no difference that can be told from chance.';
}

/** 767 [755, 779] */
export function told({ value, low, high }: Interval): string {
  if (value === null) return 'not identified';
  const digits = Math.abs(value) >= 100 ? 0 : 1;
  return low === null || high === null
    ? decimal(value, digits)
    : `${decimal(value, digits)} [${decimal(low, digits)}, ${decimal(high, digits)}]`;
}

/** Over how many coordinates a latent is spread, beside random directions. */
export function spreadWords(
  effective: number,
  { effectiveNeurons: { random } }: Pick<Atlas, 'effectiveNeurons'>,
  many: string,
): string {
  if (Number.isNaN(effective)) return 'Its decoder row is zero: it is spread over nothing.';
  const beside = `a random direction over ${told(random.mean)}, 95 % of them over ${decimal(random.low, 0)} to ${decimal(random.high, 0)}`;
  const what =
    effective < random.low
      ? 'fewer than random directions: some coordinates are its own more than others'
      : effective > random.high
        ? 'more than random directions: it keeps clear of single coordinates'
        : 'as many as a random direction: no coordinate is its own';
  return `It is spread over ${decimal(effective, 1)} ${many} (effective number), ${beside}: ${what}.`;
}
