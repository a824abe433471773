/** `monosem sparsity`: which L0 is right for some activations, or that they do not say. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { familyNames } from '../../dictionaries/families/index.ts';
import { InputError } from '../../formats/errors.ts';
import { parseConfig, type RunConfig } from '../../runs/config.ts';
import { exists } from '../../runs/directory.ts';
import { siteName } from '../../runs/site.ts';
import { SPARSITY_FILES, writeSparsity } from '../../runs/sparsity.ts';
import { withBench } from '../bench.ts';
import { asUsage } from '../failure.ts';
import { addConfigFlags, readInput, SUBJECT_FLAGS, TRAINING_FLAGS, wholeNumber } from '../flags.ts';
import { sparsityText } from '../sparsityText.ts';
import { printResult, type Terminal } from '../terminal.ts';

/** What a sweep decides itself, or has no use for. */
const NOT_HERE = ['seed', 'dictionary.k', 'target.hook', 'target.skip', 'evaluation.nulls'];
const FLAGS = [...TRAINING_FLAGS.filter(({ field }) => !NOT_HERE.includes(field)), ...SUBJECT_FLAGS];

interface SparsityOptions {
  readonly world?: string;
  readonly worldSeed: number;
  readonly k?: number[];
  readonly seeds: number[];
  readonly runs: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addSparsity(program: Command, terminal: Terminal): void {
  const command = program.command('sparsity');
  command.description(
    'sweep L0 in one pass with several seeds, and propose the right one where independent criteria agree on it',
  );
  addConfigFlags(
    command,
    FLAGS.filter(({ field }) => field !== 'dictionary.family'),
  );
  const list = (text: string) => text.split(',').map((part) => wholeNumber(part.trim()));
  command
    // Not the default of a run: TopK with a k above the right one spoils what it learned.
    .addOption(
      new Option('--family <family>', 'the family of the dictionary (default: batchtopk)').choices(
        familyNames,
      ),
    )
    .option('--world <name>', 'a built-in world with known features in the place of a model')
    .option('--world-seed <n>', 'which of the worlds of that name', wholeNumber, 0)
    .addOption(
      new Option(
        '--k <list>',
        'latents active for each token; by default 13 values at equal ratios',
      ).argParser(list),
    )
    .addOption(new Option('--seeds <list>', 'three or more').argParser(list).default([0, 1, 2], '0,1,2'))
    .option('--runs <directory>', 'where the directory of the sweep is kept', 'runs')
    .option('--force', 'start though more memory is forecast than the machine has free')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (options: SparsityOptions) => {
      const { runs, force, json, world, worldSeed, seeds } = options;
      const { checkPlan, defaultKs, sweepSparsity } = await import('../../pipeline/sparsity.ts');
      const { worldMaterial, worldPath } = await import('../../pipeline/worldSubject.ts');
      const { namedDistribution } = await import('../../toy/named.ts');
      const { loadMaterial } = await import('../../pipeline/subject.ts');
      const { sparsityRecord } = await import('../../pipeline/sparsityRecord.ts');
      const { sparsityFigure } = await import('../../report/sparsityChart.ts');
      const { standaloneSvg } = await import('../../report/picture.ts');
      const file = await withBench(terminal, async (bench) => {
        const distribution =
          world === undefined
            ? undefined
            : await asUsage(() => namedDistribution(bench.backend, world, worldSeed));
        const path = world === undefined ? undefined : worldPath(world, worldSeed);
        const config = await readSparsityConfig(command, path, distribution);
        const plan = { config, ks: options.k ?? defaultKs(config.dictionary.latents), seeds };
        await asUsage(() => checkPlan(plan));
        const directory = join(runs, config.name);
        if (await exists(directory))
          throw new InputError(`${directory}: it exists already; choose another name`);
        const material =
          distribution && path !== undefined
            ? worldMaterial(bench.backend, distribution, path, config.training.tokens)
            : await loadMaterial(bench, config);
        const result = await sweepSparsity(bench, plan, material, { force });
        const record = await sparsityRecord(bench, plan, result);
        const { svg } = sparsityFigure('sparsity', siteName(config), record);
        await writeSparsity(directory, record, standaloneSvg(svg));
        return { directory, ...record };
      });
      const text = () => `${sparsityText(file)}\n\npicture: ${join(file.directory, SPARSITY_FILES.picture)}`;
      await printResult(terminal, json, { data: file, text });
    });
}

/** As the flags and the file have it; BatchTopK where no family is named, and of a world as many latents as it has features. */
async function readSparsityConfig(
  command: Command,
  world: string | undefined,
  distribution: { features: number; width: number } | undefined,
): Promise<RunConfig> {
  return asUsage(async () => {
    const { input, where } = await readInput(command, FLAGS);
    for (const field of ['model', 'hook', 'activations'])
      if (world !== undefined && field in input)
        throw new InputError(`--world: found ${field} as well, expected one of the two; leave one out`);
    if (input.name === undefined)
      throw new InputError('--name is missing: name the sweep, or put "name" into the --config file');
    const latents = distribution && { latents: distribution.features || distribution.width / 2 };
    const given = input.dictionary ?? {};
    const dictionary =
      typeof given === 'object' && !Array.isArray(given)
        ? { family: 'batchtopk', ...latents, ...given }
        : given;
    return parseConfig({ ...input, ...(world && { activations: world }), dictionary }, where);
  });
}

const HELP = `
Five criteria are read off the dictionaries: c_dec and s_n (how much decoder rows point at each other's features),
description length at equal distortion, the knee of L0 against unexplained variance, and whether seeds agree. A criterion
counts where its curve has a minimum that is not at an end of the sweep and is deeper than seeds differ. An L0 is
proposed where one of each kind (decoder, cost, seeds) agree within 15 %; otherwise it is not identified from these
data. docs/sparsity.md says how often that is right.

Examples:
  monosem sparsity --name toy --world orthogonal --tokens 179200 --batch 256 --learning-rate 0.01 \\
    --k 6,7,8,9,10,11,12,13,15
  monosem sparsity --name layer3 --hook blocks.3.hook_resid_post --latents 1152 --k 8,12,16,24,32,48,64`;
