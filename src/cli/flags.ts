/**
 * The flags that stand for fields of a run's configuration, and the configuration that they make together with a
 * `--config` file: what a flag says goes before what the file says. It must not know what is done with it.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { familyNames } from '../dictionaries/families/index.ts';
import { NULL_NAMES } from '../evaluation/nulls/index.ts';
import { InputError } from '../formats/errors.ts';
import { readJsonObject } from '../formats/json.ts';
import { parseConfig, type RunConfig } from '../runs/config.ts';
import { asUsage } from './failure.ts';

export interface ConfigFlag {
  readonly flags: string;
  readonly description: string;
  /** The field that it sets: a key, or section.key. */
  readonly field: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** What the flag says where its value may be left out, and is. */
  readonly preset?: string;
}

/** Which activations: all that a harvest needs. */
export const SUBJECT_FLAGS: readonly ConfigFlag[] = [
  { flags: '--model <name>', description: 'the model that is taken apart', field: 'model' },
  {
    flags: '--hook <point>',
    description: 'the hook point, named as in TransformerLens; several with commas between make a crosscoder',
    field: 'hook',
    parse: oneOrMore,
  },
  {
    flags: '--corpus <name>',
    description: 'self (text sampled from the model), gutenberg-children, or the path of a file or directory',
    field: 'corpus.name',
  },
  {
    flags: '--corpus-tokens <n>',
    description: 'how many tokens to sample for the corpus self',
    field: 'corpus.tokens',
    parse: wholeNumber,
  },
  {
    flags: '--precision <precision>',
    description: 'what model and training may round the operands of products to',
    field: 'precision',
    choices: ['auto', 'fp32', 'bf16'],
  },
];

/** How the dictionary is made. */
export const TRAINING_FLAGS: readonly ConfigFlag[] = [
  { flags: '--name <name>', description: 'the name of the run and of its directory', field: 'name' },
  {
    flags: '--activations <path>',
    description:
      'activations of another pipeline (.npy, .safetensors, .parquet, a Hugging Face dataset, a harvest) in the place of model and corpus',
    field: 'activations',
  },
  {
    flags: '--seed <n>',
    description: 'all random streams follow from it',
    field: 'seed',
    parse: wholeNumber,
  },
  {
    flags: '--family <family>',
    description: 'the family of the dictionary',
    field: 'dictionary.family',
    choices: familyNames,
  },
  {
    flags: '--latents <n>',
    description: 'latents in the dictionary',
    field: 'dictionary.latents',
    parse: wholeNumber,
  },
  {
    flags: '--k <n>',
    description: 'latents active for each token',
    field: 'dictionary.k',
    parse: wholeNumber,
  },
  {
    flags: '--target <point>',
    description: 'the hook point that is predicted, where it is another: a transcoder',
    field: 'target.hook',
  },
  {
    flags: '--skip',
    description: 'give a transcoder a linear path beside its latents',
    field: 'target.skip',
  },
  { flags: '--tokens <n>', description: 'tokens to train on', field: 'training.tokens', parse: wholeNumber },
  { flags: '--batch <n>', description: 'tokens in a step', field: 'training.batch', parse: wholeNumber },
  {
    flags: '--learning-rate <rate>',
    description: 'the peak learning rate, or auto',
    field: 'training.learningRate',
    parse: rateOrAuto,
  },
  {
    flags: '--nulls [which]',
    description: `the nulls: all, basic, none, or names with commas between, of ${NULL_NAMES.join(', ')}`,
    field: 'evaluation.nulls',
    parse: oneOrMore,
    preset: 'all',
  },
  {
    flags: '--no-nulls',
    description: 'leave out the nulls: quicker, but then no number says anything about true features',
    field: 'evaluation.nulls',
  },
];

/** How much of everything: what a sweep takes beside its lists. */
export const SIZE_FLAGS: readonly ConfigFlag[] = TRAINING_FLAGS.filter(({ field }) =>
  [
    'name',
    'activations',
    'training.tokens',
    'training.batch',
    'training.learningRate',
    'evaluation.nulls',
  ].includes(field),
);

/** Adds `--config` and the flags to a command; gives the names that commander knows them by. */
export function addConfigFlags(command: Command, flags: readonly ConfigFlag[]): string[] {
  const config = new Option('--config <file>', 'a JSON file with the configuration; flags go before it');
  const options = [config, ...flags.map(toOption)];
  for (const option of options) command.addOption(option);
  return options.map((option) => option.attributeName());
}

function toOption({ flags, description, field, parse, choices, preset }: ConfigFlag): Option {
  const fallback = field === 'name' ? undefined : fieldOf(parseConfig({ name: 'default' }), field);
  const option = new Option(flags, description);
  const isSwitch = option.negate || typeof fallback === 'boolean' || fallback === undefined;
  if (!isSwitch) option.description += ` (default: ${[fallback].flat().join(', ')})`;
  if (preset !== undefined) option.preset(preset);
  if (choices) option.choices(choices);
  else if (parse) option.argParser(parse);
  return option;
}

/**
 * The configuration that the flags given to `command` and its `--config` file make. `name` serves where neither
 * has one. UsageError where either is at fault.
 */
export async function readConfigFlags(
  command: Command,
  flags: readonly ConfigFlag[],
  name?: string,
): Promise<RunConfig> {
  return asUsage(async () => {
    const { input, where } = await readInput(command, flags);
    const named = { ...(name && { name }), ...input };
    if (named.name === undefined) {
      throw new InputError('--name is missing: name the run, or put "name" into the --config file');
    }
    return parseConfig(named, where);
  });
}

/** What the `--config` file and the flags given say together, unchecked, and where it came from. */
export async function readInput(
  command: Command,
  flags: readonly ConfigFlag[],
): Promise<{ input: Record<string, unknown>; where: string }> {
  const file: string | undefined = command.opts().config;
  const given = flags
    .map((flag) => ({ field: flag.field, key: new Option(flag.flags).attributeName() }))
    .filter(({ key }) => command.getOptionValueSource(key) === 'cli')
    .map(({ field, key }) => ({ field, value: command.getOptionValue(key) as unknown }));
  let input: Record<string, unknown> = file ? { ...(await readJsonObject(file)) } : {};
  for (const { field, value } of given) input = withField(input, field, value);
  const where = [...(file ? [file] : []), ...(given.length || !file ? ['the flags'] : [])].join(' and ');
  return { input, where };
}

/** `input` with a field set; a section that is no object is left for `parseConfig` to name. */
function withField(input: Record<string, unknown>, field: string, value: unknown): Record<string, unknown> {
  const [section, key] = field.split('.');
  if (key === undefined) return { ...input, [section]: value };
  const inner = input[section] ?? {};
  if (typeof inner !== 'object' || Array.isArray(inner)) return input;
  return { ...input, [section]: { ...inner, [key]: value } };
}

function fieldOf(config: RunConfig, field: string): unknown {
  return field
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
}

/** A whole number, as 1200000, 1_200_000 or 1.2e6. */
export function wholeNumber(text: string): number {
  const value = /^[+-]?\d[\d_]*(\.\d+)?(e\d+)?$/i.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Expected a whole number, such as 1200000, 1_200_000 or 1.2e6.');
  }
  return value;
}

function oneOrMore(text: string): string | string[] {
  return text.includes(',') ? text.split(',').map((part) => part.trim()) : text;
}

function rateOrAuto(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Expected a number, such as 3e-4, or auto.');
  return value;
}
