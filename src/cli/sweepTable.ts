/** A sweep as a table: a row for each arm, then what its sparsity knobs did. It must not know how arms were trained. */
import { L0_TOLERANCE, STUCK_ELASTICITY } from '../evaluation/knob.ts';
import type { ArmSummary, SweepSummary } from '../pipeline/sweepSummary.ts';
import { decimal, grouped, percent } from '../report/numbers.ts';
import { cell } from './metricsTable.ts';
import { table } from './text.ts';

export function sweepTable({ directory, arms, elasticities }: SweepSummary): string {
  const head = [
    'arm',
    'latents',
    'asked',
    'L0',
    'explained variance',
    'dead',
    'recovered, over mean',
    'status',
  ];
  const right = head.slice(1, -1).map(() => 'right' as const);
  const parts = [
    `${directory}: ${grouped(arms.length)} arms; 95 % intervals over test documents`,
    table(head, arms.map(row), ['left', ...right, 'left']),
  ];
  const off = arms.filter(({ offK }) => offK).map(({ name }) => name);
  if (elasticities.length > 0) {
    const rows = elasticities.map(({ knob, from, to, value, stuck }) => [
      knob,
      from,
      to,
      decimal(value, 2),
      stuck ? 'no longer moves L0' : '',
    ]);
    const columns = ['knob', 'from', 'to', 'd log L0 / d log knob', ''];
    parts.push(table(columns, rows, ['left', 'left', 'left', 'right', 'left']));
  }
  const stuck = elasticities.filter((one) => one.stuck);
  if (stuck.length > 0) {
    parts.push(
      `Warning: ${named(stuck.map(({ from, to }) => `${from} and ${to}`))}: the knob no longer moves L0 on the ` +
        `validation rows (an elasticity under ${STUCK_ELASTICITY}): values between them tell nothing about sparsity.`,
    );
  }
  if (off.length > 0)
    parts.push(
      `Warning: ${named(off)}: L0 on the test split is more than ${percent(L0_TOLERANCE)} off its k.`,
    );
  parts.push(
    `next: monosem evaluate ${directory}/<arm>   explains the latents of an arm and writes its report`,
  );
  return parts.map((part) => part.trimEnd()).join('\n\n');
}

function row({ name, latents, knob, metrics, training, status, stopped }: ArmSummary): string[] {
  const measured = (metric: string, decimals: number) =>
    metrics?.[metric] ? cell(metrics[metric], decimals) : '-';
  return [
    name,
    grouped(latents),
    knob ? `${knob.name} ${knob.asked}` : '-',
    measured('l0', 1),
    measured('explainedVariance', 3),
    training ? grouped(training.deadLatents) : '-',
    measured('recoveredMean', 3),
    stopped
      ? `stopped at step ${grouped(stopped.step)} by ${stopped.by}: FVU ${decimal(stopped.fvu, 3)} against ${decimal(stopped.byFvu, 3)}`
      : status,
  ];
}

function named(names: readonly string[]): string {
  return names.length <= 4
    ? names.join('; ')
    : `${names.slice(0, 4).join('; ')} and ${names.length - 4} more`;
}
