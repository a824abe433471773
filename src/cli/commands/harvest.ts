/** `monosem harvest`: the activations at a hook point, into the cache, where training finds them. */
import type { Command } from 'commander';
import { grouped } from '../../report/numbers.ts';
import { hooksOf, siteOf } from '../../runs/site.ts';
import { withBench } from '../bench.ts';
import { addConfigFlags, readConfigFlags, SUBJECT_FLAGS } from '../flags.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { corpusText } from '../text.ts';

export function addHarvest(program: Command, terminal: Terminal): void {
  const command = program.command('harvest');
  command.description('store the activations at a hook point, where training will find them');
  addConfigFlags(command, SUBJECT_FLAGS);
  command
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  monosem harvest --hook blocks.4.hook_resid_post --corpus-tokens 500_000',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const config = await readConfigFlags(command, SUBJECT_FLAGS, 'harvest');
      const { loadSubject, storeDirectory, trainingActivations } = await import('../../pipeline/subject.ts');
      const store = await withBench(terminal, async (bench) => {
        const subject = await loadSubject(bench, config);
        const hooks = hooksOf([siteOf(config)]);
        const { width, totalRows } = await trainingActivations(bench, subject, hooks);
        const { dir } = storeDirectory(subject, hooks);
        const { description, modelGenerated } = subject.corpus;
        return {
          directory: dir,
          hook: hooks.join(' + '),
          width,
          rows: totalRows,
          description,
          modelGenerated,
        };
      });
      const text = () =>
        `${store.directory}\n${grouped(store.rows)} activations of width ${store.width} at ${store.hook}\n` +
        `text: ${corpusText(store)}`;
      await printResult(terminal, json, { data: store, text });
    });
}
