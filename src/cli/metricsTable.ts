/** The numbers of an evaluation as a table: each with its interval, and the same number for each null. */
import { decimal, grouped } from '../report/numbers.ts';
import type { Evaluation, Interval } from '../runs/schema.ts';
import { table } from './text.ts';

/** In the order of the table, with decimals. A metric that is not here comes last, under its own name. */
const ROWS: Record<string, readonly [label: string, decimals: number]> = {
  explainedVariance: ['explained variance', 3],
  fvu: ['FVU', 3],
  l0: ['L0', 1],
  deadFraction: ['dead latents, share', 3],
  denseFraction: ['dense latents, share', 3],
  crossEntropyModel: ['loss, model (nats)', 3],
  crossEntropySpliced: ['loss, spliced', 3],
  crossEntropyZero: ['loss, zeros', 3],
  crossEntropyMean: ['loss, mean', 3],
  klSpliced: ['KL, spliced (nats)', 3],
  recoveredZero: ['recovered, over zeros', 3],
  recoveredMean: ['recovered, over mean', 3],
};

export function metricsTable(evaluation: Evaluation): string {
  const { metrics, nulls, level, documents, tokens } = evaluation;
  const names = [
    ...Object.keys(ROWS).filter((name) => Object.hasOwn(metrics, name)),
    ...Object.keys(metrics).filter((name) => !Object.hasOwn(ROWS, name)),
  ];
  const rows = names.map((name) => {
    const [label, decimals] = Object.hasOwn(ROWS, name) ? ROWS[name] : [name, 3];
    const cells = nulls.map((one) => metrics[name].nulls.find((other) => other.name === one.name));
    return [label, cell(metrics[name], decimals), ...cells.map((one) => (one ? cell(one, decimals) : '-'))];
  });
  const head = ['', 'this dictionary', ...nulls.map(({ name }) => `null: ${name}`)];
  const measured = `${grouped(documents)} test document${documents === 1 ? '' : 's'}, ${grouped(tokens)} tokens; ${level * 100} % intervals over documents`;
  return `${table(head, rows, ['left', ...head.slice(1).map(() => 'right' as const)])}\n\n${measured}.\n${nullLines(nulls)}`;
}

/** `0.874 [0.870, 0.878]`; what the documents do not settle is said so. */
export function cell({ value, low, high }: Interval, decimals: number): string {
  if (value === null) return 'not identified';
  const ends =
    low === null || high === null
      ? 'not identified'
      : `${decimal(low, decimals)}, ${decimal(high, decimals)}`;
  return `${decimal(value, decimals)} [${ends}]`;
}

function nullLines(nulls: Evaluation['nulls']): string {
  if (nulls.length === 0) {
    return 'No nulls: these numbers do not say whether a dictionary without true features would do as well.\n';
  }
  const lines = nulls.map(({ name, description }) => `Null ${name}: ${description}`);
  return `${lines.join('\n')}\nWhere the interval of a null overlaps, the number is no evidence of true features.\n`;
}
