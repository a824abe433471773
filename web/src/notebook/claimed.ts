/**
 * Numbers that a post states, held against the run or the experiment that they are from: `[0.903](run:judged#explainedVariance)`. A
 * number must be what was measured, rounded to as many places as it is written with. It must not know how posts are shown.
 */

import type { Entry } from '../../../src/runs/entrySchema.ts';
import type { EvidenceSummary } from '../../../src/runs/evidenceSchema.ts';
import type { Evaluation } from '../../../src/runs/schema.ts';

/** Where a number is from: `judged#explainedVariance`, `judged#explainedVariance null pca`, `toy/pairs#<finding> null`. */
export interface Reference {
  readonly path: string;
  readonly name: string;
  /** Of a run, the null of this name; of a finding, which has but one, empty. */
  readonly null?: string;
}

type Values = readonly (number | null | undefined)[];

/** Undefined where it is no reference. */
export function referenceOf(text: string): Reference | undefined {
  const [, path, name, nothing] = /^([^#]+)#(.+?)(?: null(?: ([\w-]+))?)?$/.exec(text) ?? [];
  if (path === undefined) return undefined;
  return { path, name, null: nothing ?? (text.endsWith(' null') ? '' : undefined) };
}

/** Value and interval of a finding, or of its null. Undefined where there is none of the name. */
export function valuesInEntry({ findings }: Entry, reference: Reference): Values | undefined {
  const found = findings.find(({ name }) => name === reference.name);
  return spread(reference.null === undefined ? found : found?.null);
}

/** Value and interval of a metric; of the verdict, `probability`, `supported`, `unsupported`, `undecided`; how many latents a class has. */
export function valuesInRun(
  evaluation: Pick<Evaluation, 'metrics'> | undefined,
  evidence: Pick<EvidenceSummary, 'dictionaries' | 'classes'> | undefined,
  { name, null: nothing }: Reference,
): Values | undefined {
  const metrics = evaluation?.metrics ?? {};
  if (Object.hasOwn(metrics, name))
    return spread(
      nothing === undefined ? metrics[name] : metrics[name].nulls.find((one) => one.name === nothing),
    );
  const ofClass = evidence?.classes.find((one) => one.class === name);
  if (ofClass !== undefined && nothing === undefined) return [ofClass.latents];
  const dictionary =
    nothing === undefined
      ? evidence?.dictionaries[0]
      : evidence?.dictionaries.find((one) => one.name === nothing);
  if (dictionary === undefined) return undefined;
  if (name === 'probability') return spread(dictionary.probability);
  if (name === 'supported' || name === 'unsupported' || name === 'undecided') return [dictionary[name]];
  return undefined;
}

function spread(measured: { value: number | null; low: number | null; high: number | null } | undefined) {
  return measured && [measured.value, measured.low, measured.high];
}

/** Whether the numbers in `text` are `values`, one after another, as far as they are written. */
export function agrees(text: string, values: Values): boolean {
  const stated = text.replaceAll('−', '-').match(/-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)/g) ?? [];
  return stated.every((number, i) => {
    const value = values[i];
    if (value === null || value === undefined) return false;
    const places = number.split('.')[1]?.length ?? 0;
    return Math.abs(Number(number.replaceAll(',', '')) - value) <= 0.5 * 10 ** -places * (1 + 1e-9);
  });
}
