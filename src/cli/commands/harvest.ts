/** `monosem harvest`: the activations at a hook point, into the cache, where training finds them, and into files. */
import type { Command } from 'commander';
import { ACTIVATION_FILES, writeActivations } from '../../activations/files/index.ts';
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
    .option(
      '--out <file>',
      `write them to a file too, as its name ends: ${ACTIVATION_FILES.join(', ')}, or none for a Hugging Face dataset`,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  monosem harvest --hook blocks.4.hook_resid_post --corpus-tokens 500_000',
    )
    .action(async ({ json, out }: { json?: boolean; out?: string }) => {
      const config = await readConfigFlags(command, SUBJECT_FLAGS, 'harvest');
      const { loadSubject, storeDirectory, trainingActivations } = await import('../../pipeline/subject.ts');
      const store = await withBench(terminal, async (bench) => {
        const subject = await loadSubject(bench, config);
        const hooks = hooksOf([siteOf(config)]);
        const source = await trainingActivations(bench, subject, hooks);
        const { width, totalRows } = source;
        if (out !== undefined) {
          await bench.stopwatch.phase(bench.reporter, 'writing', 'rows', (update) =>
            writeActivations(out, source, {
              hook: hooks.join('+'),
              onProgress: (done, total) => {
                bench.signal?.throwIfAborted();
                update(done, total);
              },
            }),
          );
        }
        const { dir } = storeDirectory(subject, hooks);
        const { description, modelGenerated } = subject.corpus;
        return {
          directory: dir,
          ...(out !== undefined && { file: out }),
          hook: hooks.join(' + '),
          width,
          rows: totalRows,
          description,
          modelGenerated,
        };
      });
      const text = () =>
        `${store.directory}\n${store.file ? `${store.file}\n` : ''}${grouped(store.rows)} activations of width ${store.width} at ${store.hook}\n` +
        `text: ${corpusText(store)}`;
      await printResult(terminal, json, { data: store, text });
    });
}
