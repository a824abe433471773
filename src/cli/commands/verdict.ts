/** `monosem verdict`: which latents of a run are supported as true features of the data, and how many a null would have. */
import { type Command, InvalidArgumentError } from 'commander';
import { readRun } from '../../runs/directory.ts';
import { withBench } from '../bench.ts';
import { keepOnInterruption } from '../interruption.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { verdictText } from '../verdictText.ts';

export function addVerdict(program: Command, terminal: Terminal): void {
  program
    .command('verdict')
    .argument('<run>', 'the directory of an evaluated run')
    .description(
      'say which latents of a run are true features of the data, and how many of its nulls would be',
    )
    .option('--level <rate>', 'the share of false ones among the supported that is put up with', rate, 0.1)
    .option(
      '--other-corpus <name>',
      'measure too whether latents hold in other text: gutenberg-children, self, or a path to text',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nTrains five companions (two seeds, another width, half and twice the L0) beside each other and keeps them in the\nrun. Nulls are those that the run was trained with. Example:\n  monosem train --name judged --nulls all\n  monosem verdict runs/judged --other-corpus gutenberg-children',
    )
    .action(async (directory: string, options: { level: number; otherCorpus?: string; json?: boolean }) => {
      const { level, otherCorpus, json } = options;
      await readRun(directory);
      const { judgeRun } = await import('../../pipeline/verdict.ts');
      const summary = await keepOnInterruption(directory, `monosem verdict ${directory}`, () =>
        withBench(terminal, async (bench) => {
          const judged = await judgeRun(bench, directory, level, otherCorpus);
          bench.signal?.throwIfAborted();
          return judged!;
        }),
      );
      await printResult(terminal, json, { data: summary, text: () => verdictText(directory, summary) });
    });
}

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('expected a rate between 0 and 1.');
  return value;
}
