/** `monosem match`: which latents of a second run are those of a first. */
import type { Command } from 'commander';
import { withBench } from '../bench.ts';
import { matchText } from '../matchText.ts';
import { printResult, type Terminal } from '../terminal.ts';

export function addMatch(program: Command, terminal: Terminal): void {
  program
    .command('match')
    .argument('<run>', 'the directory of a trained run')
    .argument('<other>', 'that of another run of the same site')
    .description('match the latents of a run with those of another, by the cosine of their decoder rows')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nThe matches are kept in the first run, and the explorer shows the two side by side. Example:\n  monosem match runs/wide runs/narrow',
    )
    .action(async (directory: string, other: string, { json }: { json?: boolean }) => {
      const { matchRuns } = await import('../../pipeline/matches.ts');
      const comparison = await withBench(terminal, (bench) => matchRuns(bench, directory, other));
      await printResult(terminal, json, { data: comparison, text: () => matchText(directory, comparison) });
    });
}
