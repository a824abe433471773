/** `monosem latents`: the latents of a run as a table, or one of them with its examples. */
import { type Command, Option } from 'commander';
import { InputError } from '../../formats/errors.ts';
import { readRun } from '../../runs/directory.ts';
import { readExamples, readFeatures } from '../../runs/tables.ts';
import { UsageError } from '../failure.ts';
import { wholeNumber } from '../flags.ts';
import { latentList, latentPage, SORTS, type Sort, selectLatents } from '../latentText.ts';
import { inColour, printResult, type Terminal } from '../terminal.ts';

interface LatentsOptions {
  readonly sort: Sort;
  readonly limit: number;
  readonly search?: string;
  readonly json?: boolean;
}

export function addLatents(program: Command, terminal: Terminal): void {
  program
    .command('latents')
    .argument('<run>', 'the directory of an evaluated run')
    .argument('[latent]', 'show this latent with its examples', wholeNumber)
    .description('list the latents of a run, or show one with its examples')
    .addOption(new Option('--sort <by>', 'the order of the list').choices(SORTS).default('density'))
    .option('--limit <n>', 'latents in the list at most', wholeNumber, 20)
    .option('--search <token>', 'only latents that fire on, or promote, a token with this text')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  monosem latents runs/demo --search dog --sort max\n  monosem latents runs/demo 1207',
    )
    .action(async (directory: string, latent: number | undefined, options: LatentsOptions) => {
      await readRun(directory);
      const features = await readFeatures(directory);
      if (!features) {
        throw new InputError(
          `${directory}: its latents are not explained yet: monosem evaluate ${directory}`,
        );
      }
      const { json } = options;
      if (latent === undefined) {
        const { shown, matching } = selectLatents(features, options);
        const counts = { matching, total: features.length };
        await printResult(terminal, json, {
          data: { directory, ...counts, latents: shown },
          text: () => latentList(shown, counts),
        });
        return;
      }
      const feature = features.find((one) => one.latent === latent);
      if (!feature) {
        throw new UsageError(`latent ${latent}: ${directory} has latents 0 to ${features.length - 1}`);
      }
      const examples = (await readExamples(directory, new Set([latent]))) ?? [];
      await printResult(terminal, json, {
        data: { directory, feature, examples },
        text: () => latentPage(feature, examples, inColour(terminal)),
      });
    });
}
