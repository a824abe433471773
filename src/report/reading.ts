/** How a measure stands to its nulls, in words. It must not know where they are read. */
import type { Interval } from '../runs/schema.ts';

/** In words, how a measure stands to its nulls: by whether the intervals overlap, where they can be compared. */
export function reading(
  own: Interval,
  nulls: readonly (Interval & { name: string; comparable?: boolean })[],
  better?: 'higher' | 'lower',
): string {
  const verdicts = nulls.map((one) => ({
    name: one.name,
    verdict: one.comparable === false ? 'not comparable with' : standing(own, one, better),
  }));
  if (verdicts.length === 0) return '';
  if (verdicts.every(({ verdict }) => verdict === verdicts[0].verdict))
    return `${verdicts[0].verdict} ${['the null', 'both nulls'][nulls.length - 1] ?? `all ${nulls.length} nulls`}`;
  const byVerdict = new Map<string, string[]>();
  for (const { name, verdict } of verdicts) byVerdict.set(verdict, [...(byVerdict.get(verdict) ?? []), name]);
  return [...byVerdict]
    .map(
      ([verdict, names]) =>
        `${verdict} ${names.length > MOST_NAMES ? `${names.length} nulls` : names.join(', ')}`,
    )
    .join('; ');
}

/** Nulls of one verdict that are named; more are counted. */
const MOST_NAMES = 3;

function standing(own: Interval, other: Interval, better?: 'higher' | 'lower'): string {
  if (own.low === null || own.high === null || other.low === null || other.high === null)
    return 'cannot be told from';
  if (own.low <= other.high && other.low <= own.high) return 'overlaps';
  if (better === undefined) return 'differs from';
  return own.low > other.high === (better === 'higher') ? 'better than' : 'worse than';
}
