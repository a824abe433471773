/** `monosem scaling`: scaling laws fitted to the smaller runs of a sweep, and held against its largest. */
import type { Command } from 'commander';
import type { Extrapolation, Interval, Refusal, ScalingFit } from '../../evaluation/scaling.ts';
import { InputError } from '../../formats/errors.ts';
import type { ScalingReport } from '../../pipeline/scaling.ts';
import { decimal } from '../../report/numbers.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { table } from '../text.ts';

export function addScaling(program: Command, terminal: Terminal): void {
  program
    .command('scaling')
    .argument('<sweep>', 'a directory of evaluated runs')
    .description('fit scaling laws to the runs of a sweep, and test them on its largest arms')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  monosem scaling runs/sizes')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const { scalingOf } = await import('../../pipeline/scaling.ts');
      const { reports, left } = await scalingOf(directory);
      const laws = reports.flatMap((report) => report.laws);
      if (laws.every(isRefusal)) throw new InputError(reports.map(refusals).join('\n'));
      for (const line of left) terminal.err.write(`left out: ${line}\n`);
      const text = () => reports.map(reportText).join('\n\n');
      await printResult(terminal, json, { data: { directory, reports, left }, text });
    });
}

function isRefusal(law: ScalingFit | Refusal): law is Refusal {
  return 'missing' in law;
}

function refusals({ of, laws }: ScalingReport): string {
  return laws
    .filter(isRefusal)
    .map(({ law, missing }) => `${of}: ${law} cannot be fitted: ${missing}`)
    .join('\n');
}

function reportText(report: ScalingReport): string {
  const { of, runs, arms, laws } = report;
  const parts = laws.map((law) => (isRefusal(law) ? `${law.law}\nnot fitted: ${law.missing}` : fitText(law)));
  return [`${of}: ${runs} runs, ${arms} arms; the loss L is FVU on the test split`, ...parts].join('\n\n');
}

function fitText({ law, parameters, arms, rootMeanSquare, heldOut }: ScalingFit): string {
  const values = Object.entries(parameters).map(([name, value]) => [name, interval(value, 3)]);
  const held = heldOut.map(({ arm, loss, forecast, error }: Extrapolation) => [
    shortName(arm),
    decimal(loss, 4),
    interval(forecast, 4),
    `${interval({ value: 100 * error.value, low: 100 * error.low, high: 100 * error.high }, 1)} %`,
  ]);
  const fitted = `fitted to ${arms} arms; ln L is off by ${decimal(rootMeanSquare, 3)} (root mean square)`;
  return [
    law,
    table(['', 'value, 95 % interval'], values, ['left', 'right']),
    fitted,
    table(['held out', 'loss', 'forecast', 'error'], held, ['left', 'right', 'right', 'right']),
  ].join('\n');
}

function interval({ value, low, high }: Interval, decimals: number): string {
  return `${decimal(value, decimals)} [${decimal(low, decimals)}, ${decimal(high, decimals)}]`;
}

/** The configuration that an arm is known by, as its size. */
function shortName(arm: string): string {
  const { dictionary, training } = JSON.parse(arm) as {
    dictionary: { latents: number; k?: number };
    training: { tokens: number };
  };
  const k = dictionary.k === undefined ? '' : `, k ${dictionary.k}`;
  return `${dictionary.latents} latents${k}, ${training.tokens} tokens`;
}
