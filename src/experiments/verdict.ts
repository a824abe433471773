/**
 * From findings to a verdict, by one rule for all experiments. It must not know what was measured.
 */
import { studentInterval } from '../math/student.ts';
import { predictedText } from '../report/finding.ts';
import type { Finding, Verdict } from '../runs/entrySchema.ts';

/** A finding from one value a seed: mean and 95 % interval of Student's t. Values that are not finite are left out. */
export function overSeeds(
  name: string,
  values: ArrayLike<number>,
  more: Pick<Finding, 'predicted' | 'null'> = {},
): Finding {
  const finite = Array.from(values).filter(Number.isFinite);
  const { value, low, high } = studentInterval(finite);
  const orNull = (x: number) => (Number.isFinite(x) ? x : null);
  return { name, value: orNull(value), low: orNull(low), high: orNull(high), n: finite.length, ...more };
}

/**
 * Of the findings that something was predicted of: _held_ where each of their intervals lies within what was predicted, _did
 * not hold_ where one lies outside altogether, and _undecided_ else, as where one has no interval.
 */
export function judge(findings: readonly Finding[]): { verdict: Verdict; because: string } {
  const judged = findings.filter(({ predicted }) => predicted !== undefined);
  if (judged.length === 0) throw new RangeError('nothing was predicted of any finding');
  const outside = judged.filter((finding) => standing(finding) === 'outside');
  if (outside.length > 0) return { verdict: 'did not hold', because: outside.map(sentence).join('; ') };
  const across = judged.filter((finding) => standing(finding) !== 'inside');
  if (across.length > 0) return { verdict: 'undecided', because: across.map(sentence).join('; ') };
  return { verdict: 'held', because: judged.map(sentence).join('; ') };
}

/** Where the interval of a finding lies, seen from what was predicted of it; one without an interval lies `across`. */
export function standing({ low, high, predicted = {} }: Finding): 'inside' | 'outside' | 'across' {
  if (low === null || high === null) return 'across';
  const { low: from = -Infinity, high: to = Infinity } = predicted;
  if (low >= from && high <= to) return 'inside';
  return high < from || low > to ? 'outside' : 'across';
}

function sentence({ name, value, low, high, predicted }: Finding): string {
  const text = (x: number | null) => (x === null ? 'unknown' : String(Number(x.toPrecision(3))));
  return `${name} is ${text(value)} [${text(low)}, ${text(high)}], predicted ${predictedText(predicted)}`;
}
