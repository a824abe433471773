/** `monosem toy`: experiments on models and data whose features are known, each with a verdict. */
import type { Command } from 'commander';
import { InputError } from '../../formats/errors.ts';
import { predictedText } from '../../report/finding.ts';
import { decimal, duration } from '../../report/numbers.ts';
import type { Entry } from '../../runs/entrySchema.ts';
import { withBench } from '../bench.ts';
import { asUsage } from '../failure.ts';
import { wholeNumber } from '../flags.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { facts, table } from '../text.ts';

interface ToyOptions {
  readonly all?: boolean;
  readonly quick?: boolean;
  readonly seed: number;
  readonly runs: string;
  readonly json?: boolean;
}

export function addToy(program: Command, terminal: Terminal): void {
  program
    .command('toy')
    .argument('[experiment]', 'which; without one, what there is')
    .description('test a claim about superposition where the truth is known, and say whether it held')
    .option('--all', 'all experiments, as many side by side as there are threads')
    .option('--quick', 'at reduced size, for a first look')
    .option('--seed <number>', 'all random streams follow from it', wholeNumber, 0)
    .option('--runs <directory>', 'where <experiment>/entry.json is written', 'runs/toy')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  monosem toy sparse-but-wrong\n  monosem toy --all --quick')
    .action(async (name: string | undefined, options: ToyOptions) => {
      const { all, quick = false, seed, runs: directory, json } = options;
      const { EXPERIMENTS, experimentOf } = await import('../../experiments/index.ts');
      const chosen = await asUsage(() => {
        if (all && name !== undefined)
          throw new InputError(`--all runs every experiment; leave out ${name}, or --all`);
        return all ? EXPERIMENTS : name === undefined ? [] : [experimentOf(name)];
      });
      if (chosen.length === 0) {
        const known = EXPERIMENTS.map(({ name, title, claim, minutes }) => ({ name, title, claim, minutes }));
        const text = () =>
          table(
            ['experiment', 'about', 'minutes of a thread'],
            known.map(({ name, title, minutes }) => [name, title, String(minutes)]),
            ['left', 'left', 'right'],
          );
        await printResult(terminal, json, { data: known, text });
        return;
      }
      const entries = await withBench(terminal, async (bench) => {
        const where = { directory, seed, quick };
        if (all) {
          const { experimentsApart } = await import('../experimentsApart.ts');
          return experimentsApart(
            bench,
            chosen.map(({ name }) => name),
            where,
          );
        }
        const { runExperiment } = await import('../../experiments/runExperiment.ts');
        return [await runExperiment(bench, chosen[0], where)];
      });
      const text = () => (all ? verdicts(entries) : entryText(entries[0]));
      await printResult(terminal, json, { data: all ? entries : entries[0], text });
    });
}

function verdicts(entries: readonly Entry[]): string {
  const rows = entries.map(({ experiment, verdict, seconds, because }) => [
    experiment,
    verdict,
    duration(seconds),
    because,
  ]);
  return table(['experiment', 'verdict', 'time', 'because'], rows, ['left', 'left', 'right', 'left']);
}

function entryText({ title, claim, prediction, findings, verdict, because, seconds }: Entry): string {
  const number = (value: number | null) => (value === null ? 'unknown' : decimal(value, 3));
  const rows = findings.map(({ name, value, low, high, n, predicted, null: nothing }) => [
    name,
    low === null ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`,
    predictedText(predicted),
    nothing ? `${number(nothing.value)} (${nothing.name})` : '',
    String(n),
  ]);
  const head = ['', 'value, 95 % interval', 'predicted', 'null', 'n'];
  return [
    title,
    facts([
      ['claim', claim],
      ['prediction', prediction],
    ]),
    table(head, rows, ['left', 'right', 'right', 'right', 'right']),
    `${verdict} (${duration(seconds)}): ${because}`,
  ].join('\n\n');
}
