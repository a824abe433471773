/** `monosem sweep`: many dictionaries in one pass, from a grid in a file or from lists in flags; or one that goes on. */
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { familyNames } from '../../dictionaries/families/index.ts';
import { InputError } from '../../formats/errors.ts';
import { readJsonObject } from '../../formats/json.ts';
import { exists } from '../../runs/directory.ts';
import { parseGrid, type Sweep } from '../../runs/grid.ts';
import { readSweep } from '../../runs/sweepDirectory.ts';
import { withBench } from '../bench.ts';
import { asUsage, Interruption } from '../failure.ts';
import { addConfigFlags, readInput, SIZE_FLAGS, SUBJECT_FLAGS, wholeNumber } from '../flags.ts';
import { printResult, type Terminal } from '../terminal.ts';

interface SweepOptions {
  readonly runs: string;
  readonly resume?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface ListFlag {
  readonly name: string;
  readonly field: string;
  readonly description: string;
  readonly parse: (text: string) => unknown;
}

/** The base's fields: all but those that a list stands for. */
const BASE_FLAGS = [...SIZE_FLAGS, ...SUBJECT_FLAGS.filter(({ field }) => field !== 'hook')];

const LISTS: readonly ListFlag[] = [
  { name: 'families', field: 'dictionary.family', description: familyNames.join(', '), parse: String },
  {
    name: 'latents',
    field: 'dictionary.latents',
    description: 'latents in the dictionary',
    parse: wholeNumber,
  },
  { name: 'k', field: 'dictionary.k', description: 'latents active for each token', parse: wholeNumber },
  {
    name: 'coefficients',
    field: 'dictionary.coefficient',
    description: 'weights of a sparsity penalty',
    parse: decimalNumber,
  },
  { name: 'seeds', field: 'seed', description: 'all random streams follow from it', parse: wholeNumber },
  {
    name: 'hooks',
    field: 'hook',
    description: 'hook points, those of a crosscoder joined by +',
    parse: (text) => (text.includes('+') ? text.split('+').map((part) => part.trim()) : text),
  },
];

export function addSweep(program: Command, terminal: Terminal): void {
  const command = program.command('sweep');
  command
    .argument('[grid]', 'a JSON file with name, base, grid, arms, halving')
    .description('train many dictionaries in one pass over the activations, evaluate them, and compare them');
  addConfigFlags(command, BASE_FLAGS);
  for (const { name, description, parse } of LISTS) {
    const option = new Option(`--${name} <list>`, `${description}; several with commas between`);
    command.addOption(option.argParser((text) => text.split(',').map((part) => parse(part.trim()))));
  }
  command
    .option('--runs <directory>', 'where the directory of the sweep is kept', 'runs')
    .option('--resume <sweep>', 'go on with the sweep in this directory')
    .option('--force', 'start though more memory is forecast than the machine has free')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (grid: string | undefined, options: SweepOptions) => {
      const { resume, runs, force, json } = options;
      const sweep = resume === undefined ? await readGrid(command, grid) : undefined;
      if (resume !== undefined) await refuseOtherThan(command, grid, ['runs', 'resume', 'force', 'json']);
      if (resume !== undefined) await readSweep(resume);
      const directory = resume ?? join(runs, sweep!.name);
      const { resumeSweep, runSweep } = await import('../../pipeline/sweep.ts');
      await withBench(terminal, async (bench) => {
        try {
          const finished = sweep
            ? await runSweep(bench, sweep, directory, { force })
            : await resumeSweep(bench, directory, { force });
          if (!finished) bench.signal?.throwIfAborted();
        } catch (error) {
          if (!(error instanceof Interruption) || !(await exists(directory))) throw error;
          const goOn = `monosem sweep --resume ${directory}`;
          throw new Interruption(error.signal, `stopped; what was done is kept. Go on with: ${goOn}`);
        }
      });
      const { summariseSweep } = await import('../../pipeline/sweepSummary.ts');
      const { sweepTable } = await import('../sweepTable.ts');
      const summary = await summariseSweep(directory);
      await printResult(terminal, json, { data: summary, text: () => sweepTable(summary) });
    });
}

const HELP = `
A grid file holds a base configuration, lists of values for any fields, and for families with fields of their own a list
of partial configurations; every combination is trained, in as few passes as may be:
  {
    "name": "widths",
    "base": { "training": { "tokens": 1000000 } },
    "arms": [{ "dictionary": { "family": "topk" } }, { "dictionary": { "family": "batchtopk" } }],
    "grid": { "dictionary.latents": [1152, 2304], "dictionary.k": [16, 32], "seed": [0, 1] },
    "halving": { "rungs": [0.25, 0.5], "keep": 0.5 }
  }
With halving, arms that another of the same hook point beats in reconstruction at no larger L0 and size stop early.

Example:
  monosem sweep --name widths --families topk,batchtopk --latents 1152,2304 --k 16,32 --seeds 0,1`;

/** The grid of the file, with what the flags say put over it. */
async function readGrid(command: Command, file: string | undefined): Promise<Sweep> {
  return asUsage(async () => {
    const written: Record<string, unknown> = file === undefined ? {} : { ...(await readJsonObject(file)) };
    const { input, where } = await readInput(command, BASE_FLAGS);
    const { name = written.name, ...base } = input;
    const lists = LISTS.filter(({ name }) => command.getOptionValueSource(name) === 'cli').map(
      ({ name, field }) => [field, command.getOptionValue(name) as unknown],
    );
    const over = (key: 'base' | 'grid', given: object) =>
      Object.keys(given).length === 0 ? written[key] : merged(written[key] ?? {}, given);
    const grid = {
      ...written,
      name,
      base: over('base', base),
      grid: over('grid', Object.fromEntries(lists)),
    };
    return parseGrid(grid, file === undefined ? where : file);
  });
}

/** `over` on top of `under`, section by section; what is no object is left for `parseGrid` to name. */
function merged(under: unknown, over: object): unknown {
  if (typeof under !== 'object' || under === null || Array.isArray(under)) return under;
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    result[key] = isSection && key in result ? merged(result[key], value) : value;
  }
  return result;
}

async function refuseOtherThan(command: Command, grid: string | undefined, allowed: string[]): Promise<void> {
  const given = Object.keys(command.opts()).filter((key) => command.getOptionValueSource(key) === 'cli');
  const others = [...(grid === undefined ? [] : [grid]), ...given.filter((key) => !allowed.includes(key))];
  await asUsage(() => {
    if (others.length > 0)
      throw new InputError(`--resume goes on with what is there; leave out ${others.join(', ')}`);
  });
}

function decimalNumber(text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Expected numbers, such as 0.5,1,2.');
  return value;
}
