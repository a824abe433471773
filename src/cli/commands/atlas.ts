/** `monosem atlas`: makes what the explorer reads beside features and examples, of a run that was made without it. */
import type { Command } from 'commander';
import { readRun } from '../../runs/directory.ts';
import { atlasText } from '../atlasText.ts';
import { withBench } from '../bench.ts';
import { printResult, type Terminal } from '../terminal.ts';

export function addAtlas(program: Command, terminal: Terminal): void {
  program
    .command('atlas')
    .argument('<run>', 'the directory of an evaluated run')
    .description(
      'map the latents of a run, index the words of its examples, and count what its neurons serve',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nA run that is trained or evaluated has it already; of an older run it is made once more. Example:\n  monosem atlas runs/wide',
    )
    .action(async (directory: string, { json }: { json?: boolean }) => {
      await readRun(directory);
      const { atlasRun } = await import('../../pipeline/atlas.ts');
      const atlas = await withBench(terminal, (bench) => atlasRun(bench, directory));
      await printResult(terminal, json, { data: atlas, text: () => atlasText(directory, atlas) });
    });
}
