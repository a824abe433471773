/** `monosem run`: what a run directory holds, in one screen. */
import type { Command } from 'commander';
import { readEvaluation, readRun } from '../../runs/directory.ts';
import { runSummary } from '../runSummary.ts';
import { printResult, type Terminal } from '../terminal.ts';

export function addRun(program: Command, terminal: Terminal): void {
  program
    .command('run')
    .argument('<run>', 'a run directory')
    .description('summarise a run: configuration, corpus, numbers, time')
    .option('--json', 'print run.json and evaluation.json as one JSON document')
    .addHelpText('after', '\nExample:\n  monosem run runs/demo')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const run = await readRun(directory);
      const evaluation = await readEvaluation(directory);
      await printResult(terminal, json, {
        data: { directory, run, evaluation: evaluation ?? null },
        text: () => runSummary(directory, run, evaluation),
      });
    });
}
