/** The numbers of an evaluation as a table: each with its interval, and the same number for each null. */
import { bestNull, MOST_COLUMNS } from '../report/measureList.ts';
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

/** What is told of each null where there are many. */
const TOLD = ['explainedVariance', 'l0', 'deadFraction', 'recoveredMean'];

export function metricsTable(evaluation: Evaluation): string {
  const { metrics, nulls, level, documents, tokens } = evaluation;
  const names = [
    ...Object.keys(ROWS).filter((name) => Object.hasOwn(metrics, name)),
    ...Object.keys(metrics).filter((name) => !Object.hasOwn(ROWS, name)),
  ];
  const measured = `${grouped(documents)} test document${documents === 1 ? '' : 's'}, ${grouped(tokens)} tokens; ${level * 100} % intervals over documents`;
  if (nulls.length > MOST_COLUMNS)
    return `${besideTheBest(names, evaluation)}\n${measured}.\n\n${everyNull(evaluation)}\n${nullLines(nulls)}`;
  const rows = names.map((name) => {
    const [label, decimals] = labelOf(name);
    const cells = nulls.map((one) => metrics[name].nulls.find((other) => other.name === one.name));
    return [label, cell(metrics[name], decimals), ...cells.map((one) => (one ? cell(one, decimals) : '-'))];
  });
  const head = ['', 'this dictionary', ...nulls.map(({ name }) => `null: ${name}`)];
  return `${table(head, rows, ['left', ...head.slice(1).map(() => 'right' as const)])}\n\n${measured}.\n${nullLines(nulls)}`;
}

/** A column for the dictionary, and one for the null that does best on each number. */
function besideTheBest(names: readonly string[], evaluation: Evaluation): string {
  const rows = names.map((name) => {
    const [label, decimals] = labelOf(name);
    const best = bestNull(name, evaluation);
    return [
      label,
      cell(evaluation.metrics[name], decimals),
      best ? cell(best, decimals) : '-',
      best?.name ?? '',
    ];
  });
  return table(['', 'this dictionary', 'best null', ''], rows, ['left', 'right', 'right', 'left']);
}

/** Each null with the numbers that say most. */
function everyNull({ metrics, nulls }: Evaluation): string {
  const columns = TOLD.filter((name) => Object.hasOwn(metrics, name));
  const rows = nulls.map((one) => [
    one.name,
    ...columns.map((name) => {
      const measured = metrics[name].nulls.find((other) => other.name === one.name);
      return measured ? cell(measured, labelOf(name)[1]) : '-';
    }),
  ]);
  const own = ['this dictionary', ...columns.map((name) => cell(metrics[name], labelOf(name)[1]))];
  const head = ['', ...columns.map((name) => labelOf(name)[0])];
  return table(head, [own, ...rows], ['left', ...columns.map(() => 'right' as const)]);
}

function labelOf(name: string): readonly [label: string, decimals: number] {
  return Object.hasOwn(ROWS, name) ? ROWS[name] : [name, 3];
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
