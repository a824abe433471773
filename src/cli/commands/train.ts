/** `monosem train`: a new run from flags and a configuration file, or one that goes on. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { grouped } from '../../report/numbers.ts';
import { readRun } from '../../runs/directory.ts';
import { withBench } from '../bench.ts';
import { addConfigFlags, readConfigFlags, SUBJECT_FLAGS, TRAINING_FLAGS } from '../flags.ts';
import { printResult, type Terminal } from '../terminal.ts';

const FLAGS = [...TRAINING_FLAGS, ...SUBJECT_FLAGS];

interface TrainOptions {
  readonly runs: string;
  readonly resume?: string;
  readonly trainOnly?: boolean;
  readonly json?: boolean;
}

export function addTrain(program: Command, terminal: Terminal): void {
  const command = program.command('train');
  command.description('train a dictionary, then evaluate it, explain its latents and write the report');
  const names = addConfigFlags(command, FLAGS);
  command
    .option('--runs <directory>', 'where run directories are kept', 'runs')
    .addOption(
      new Option('--resume <run>', 'go on with the run in this directory').conflicts([...names, 'runs']),
    )
    .option('--train-only', 'stop after training; monosem evaluate does the rest')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  monosem train --name wide --hook blocks.4.hook_resid_post --latents 9216 --k 32',
    )
    .action(async (options: TrainOptions) => {
      const { resume, runs, trainOnly, json } = options;
      const config = resume ? (await readRun(resume)).config : await readConfigFlags(command, FLAGS);
      const directory = resume ?? join(runs, config.name);
      const { finish, finishedText, train } = await import('../wholeRun.ts');
      const finished = await withBench(terminal, async (bench) => {
        await train(bench, config, directory, resume !== undefined);
        return trainOnly ? undefined : finish(bench, directory);
      });
      if (finished) {
        await printResult(terminal, json, { data: finished, text: () => finishedText(finished) });
        return;
      }
      const { training } = await readRun(directory);
      const text = () =>
        `${directory}: trained on ${grouped(training?.tokens ?? 0)} tokens in ${grouped(training?.steps ?? 0)} steps; ` +
        `${grouped(training?.deadLatents ?? 0)} dead latents\nnext: monosem evaluate ${directory}`;
      await printResult(terminal, json, { data: { directory, training }, text });
    });
}
