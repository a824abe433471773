/** `monosem convert`: a dictionary that any known tool saved, or a run's, written as another tool reads it. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Opened, WritableFormat } from '../../dictionaries/interop/index.ts';
import { InputError } from '../../formats/errors.ts';
import { visible } from '../../report/html.ts';
import { exists, RUN_FILES } from '../../runs/directory.ts';
import { describeDictionary } from '../dictionaryText.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { facts } from '../text.ts';

const TARGETS = ['saelens', 'sparsify', 'gemma-scope', 'neuronpedia'] as const;

interface ConvertOptions {
  readonly to: (typeof TARGETS)[number];
  readonly json?: boolean;
}

export function addConvert(program: Command, terminal: Terminal): void {
  program
    .command('convert')
    .argument(
      '<in>',
      'a directory or file of SAELens, dictionary_learning, sparsify, Gemma Scope, OpenAI or circuit-tracer, or a run directory',
    )
    .argument('<out>', 'the directory to write, which must not exist')
    .description('open a dictionary that another tool saved, and write what another one reads')
    .addOption(
      new Option('--to <format>', 'what to write; neuronpedia is the dashboards of an evaluated run')
        .choices(TARGETS)
        .makeOptionMandatory(),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  monosem convert runs/demo dashboards --to neuronpedia\n  monosem convert trainer_0 converted --to saelens',
    )
    .action(async (from: string, out: string, { to, json }: ConvertOptions) => {
      const interop = await import('../../dictionaries/interop/index.ts');
      const isRun = await exists(join(from, RUN_FILES.run));
      if (to === 'neuronpedia' && !isRun) {
        throw new InputError(
          `${from}: there is no ${RUN_FILES.run}; Neuronpedia's dashboards are written from a run directory, which knows what each latent fires on`,
        );
      }
      const opened = await interop.readDictionary(isRun ? join(from, RUN_FILES.dictionary) : from);
      const files = to === 'neuronpedia' ? await writeDashboards(from, out) : await write(opened, out, to);
      const { format, architecture, dictionary, metadata, notes } = opened;
      const read = { path: from, format, architecture, ...describeDictionary(dictionary), metadata, notes };
      await printResult(terminal, json, {
        data: { read, written: { path: out, format: to, files } },
        text: () => resultText(from, opened, { out, to, files }),
      });
    });
}

async function writeDashboards(run: string, out: string): Promise<string[]> {
  const { writeNeuronpedia } = await import('../../pipeline/neuronpedia.ts');
  return writeNeuronpedia(run, out);
}

async function write({ dictionary, metadata }: Opened, out: string, to: WritableFormat): Promise<string[]> {
  const [{ readdir }, { writeDirAtomic }, { writeDictionary }] = await Promise.all([
    import('node:fs/promises'),
    import('../../formats/atomic.ts'),
    import('../../dictionaries/interop/index.ts'),
  ]);
  await writeDirAtomic(out, (temporary) => writeDictionary(temporary, to, dictionary, metadata));
  return (await readdir(out)).sort();
}

function resultText(
  from: string,
  { format, architecture, dictionary, metadata, notes }: Opened,
  { out, to, files }: { out: string; to: string; files: readonly string[] },
): string {
  const { width, outputWidth, latents, selection } = describeDictionary(dictionary);
  const shown = files.length > 4 ? `${files[0]} to ${files.at(-1)}` : files.join(', ');
  const place = [metadata.model_name, metadata.hook_name].filter((part) => typeof part === 'string');
  return facts([
    ['read', from],
    ['format', `${format}, ${architecture}`],
    ['widths', `${width} in, ${latents} latents, ${outputWidth} out`],
    ['selection', selection],
    ...(place.length > 0 ? [['of', visible(place.join(', '))] as const] : []),
    ...notes.map((note) => ['note', note] as const),
    ['written', `${out}: ${shown} (${to})`],
  ]);
}
