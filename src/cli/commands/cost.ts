/** `monosem cost`: what a run will take, before it; or how far a forecast is from what a run took. */
import { type Command, Option } from 'commander';
import { InputError } from '../../formats/errors.ts';
import { readRun } from '../../runs/directory.ts';
import { withBench } from '../bench.ts';
import { checkText, costText } from '../costText.ts';
import { addConfigFlags, readConfigFlags, SUBJECT_FLAGS, TRAINING_FLAGS } from '../flags.ts';
import { printResult, type Terminal } from '../terminal.ts';

const FLAGS = [...TRAINING_FLAGS, ...SUBJECT_FLAGS].filter(({ field }) => field !== 'activations');

export function addCost(program: Command, terminal: Terminal): void {
  const command = program.command('cost');
  command.description(
    'forecast the FLOPs, time, memory and disk of a run, by rehearsing each phase of it for a moment',
  );
  const names = addConfigFlags(command, FLAGS);
  command
    .addOption(
      new Option(
        '--check <run>',
        'forecast the run in this directory, and compare with what it took',
      ).conflicts(names),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nTakes the flags of monosem train but --activations. Example:\n  monosem cost --latents 9216 --tokens 2e7\n  monosem cost --check runs/demo',
    )
    .action(async ({ check, json }: { check?: string; json?: boolean }) => {
      const { checkCost, forecastCost } = await import('../../pipeline/cost.ts');
      const run = check === undefined ? undefined : await readRun(check);
      if (run && run.status !== 'complete') {
        throw new InputError(
          `${check}: the run is ${run.status}, so what it takes is not known; finish it first`,
        );
      }
      const config = run?.config ?? (await readConfigFlags(command, FLAGS, 'forecast'));
      const cost = await withBench(terminal, (bench) => forecastCost(bench, config));
      if (run) {
        const compared = checkCost(cost, run);
        await printResult(terminal, json, { data: compared, text: () => checkText(compared) });
        return;
      }
      await printResult(terminal, json, { data: cost, text: () => costText(cost) });
    });
}
