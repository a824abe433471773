/** `monosem evaluate`: the test split through a trained run and its nulls, its latents explained, its report written. */
import type { Command } from 'commander';
import { readRun } from '../../runs/directory.ts';
import { withBench } from '../bench.ts';
import { printResult, type Terminal } from '../terminal.ts';

export function addEvaluate(program: Command, terminal: Terminal): void {
  program
    .command('evaluate')
    .argument('<run>', 'the directory of a trained run')
    .description('evaluate a trained run on its test documents, explain its latents and write the report')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  monosem evaluate runs/wide')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      await readRun(directory);
      const { finish, finishedText } = await import('../wholeRun.ts');
      const finished = await withBench(terminal, (bench) => finish(bench, directory));
      await printResult(terminal, json, { data: finished, text: () => finishedText(finished) });
    });
}
