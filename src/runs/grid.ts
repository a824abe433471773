/**
 * A grid of runs: a base configuration, lists of values for some of its fields, and where that is not enough a list of
 * partial configurations. It is expanded to whole configurations with names. It must not know how any of them is trained.
 */
import * as z from 'zod';
import { InputError } from '../formats/errors.ts';
import { sha256 } from '../formats/hash.ts';
import { validate } from '../formats/validate.ts';
import { parseConfig, type RunConfig } from './config.ts';

const LONGEST_NAME = 100;
const MOST_ARMS = 1000;

const properFraction = z.number().gt(0).lt(1);
const fields = z.record(z.string(), z.unknown());

export const halvingSchema = z.strictObject({
  /** After which shares of an arm's steps others may stop it. */
  rungs: z.array(properFraction).min(1).readonly(),
  /** The share of the running arms that goes on from a rung at least. */
  keep: z.number().min(0).max(1),
  /** How much lower another's fraction of unexplained variance must be, on the validation rows. */
  margin: z.number().nonnegative().default(0.01),
});

const gridSchema = z.strictObject({
  /** The sweep's name, also that of its directory. */
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/,
      'expected 1 to 100 letters, digits, or . _ -, not opening with . or -',
    ),
  /** What all arms have in common. */
  base: fields.default({}),
  /** Values of fields, each named `field` or `section.field`: all combinations are trained. */
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).default({}),
  /** Partial configurations, for families with fields of their own; the grid is trained for each. */
  arms: z.array(fields).min(1).default([{}]),
  /** Arms that are behind stop early; see `training/halving.ts`. All go to the end without it. */
  halving: halvingSchema.optional(),
});

/** What a user writes: only `name` is required. */
export type GridInput = z.input<typeof gridSchema>;
export type Halving = z.output<typeof halvingSchema>;

export interface Sweep {
  readonly name: string;
  /** A configuration for each arm, named after its values. */
  readonly configs: readonly RunConfig[];
  readonly halving?: Halving;
}

type Fields = Record<string, unknown>;

/**
 * Checks a grid and expands it: for each of `arms`, every combination of the values in `grid`, over `base`. An arm is
 * named after the values that `arms` and `grid` give it, in the order written, as in `topk-latents1152-k32-seed0`, so
 * that it keeps its name when values are added. InputError names each faulty field, and two arms that are the same.
 */
export function parseGrid(value: unknown, where = 'the grid'): Sweep {
  const { name, base, grid, arms, halving } = validate(gridSchema, value, where);
  refuseNames(base, 'base', where);
  refuseNames(grid, 'grid', where);
  const count = Object.values(grid).reduce((product, values) => product * values.length, arms.length);
  if (count > MOST_ARMS) {
    throw new InputError(
      `${where}: ${count.toLocaleString('en-US')} arms; expected at most ${MOST_ARMS}: leave values out, or make several sweeps`,
    );
  }
  const made = arms.flatMap((arm, i) => {
    refuseNames(arm, `arms[${i}]`, where);
    return combinations(grid).map((point) => {
      const told: [string, unknown][] = [...leaves(arm), ...point.flatMap(([field, v]) => leaves(v, field))];
      const armName = nameOf(told);
      const input = told.reduce((config, [field, v]) => withField(config, field.split('.'), v), base);
      return parseConfig({ ...input, name: armName }, `${where}, arm ${armName}`);
    });
  });
  refuseTwins(made, where);
  return { name, configs: made, ...(halving && { halving }) };
}

function refuseNames(given: Fields, field: string, where: string): void {
  if (!Object.hasOwn(given, 'name')) return;
  throw new InputError(
    `${where}: ${field}.name: found ${JSON.stringify(given.name)}, expected no name: arms are named after their values`,
  );
}

function refuseTwins(configs: readonly RunConfig[], where: string): void {
  const seen = new Map<string, number>();
  for (const [i, { name }] of configs.entries()) {
    const before = seen.get(name);
    if (before !== undefined) {
      throw new InputError(
        `${where}: arms ${before + 1} and ${i + 1} are both ${name}: a value stands twice in grid, or one of arms does`,
      );
    }
    seen.set(name, i);
  }
}

/** Every choice of one value for each field; the last field varies fastest. */
function combinations(grid: Record<string, readonly unknown[]>): [string, unknown][][] {
  return Object.entries(grid).reduce<[string, unknown][][]>(
    (points, [field, values]) =>
      points.flatMap((point) => values.map((v): [string, unknown][] => [...point, [field, v]])),
    [[]],
  );
}

/** Fields with what they are set to, sections taken apart: `{ dictionary: { k: 3 } }` is `dictionary.k`. */
function leaves(value: unknown, field = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[field, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, field ? `${field}.${key}` : key));
}

/** `config` with a field set; what stands where a section should is replaced. */
function withField(config: Fields, [key, ...rest]: readonly string[], value: unknown): Fields {
  if (rest.length === 0) return { ...config, [key]: value };
  const inner = config[key];
  const section = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
  return { ...config, [key]: withField(section as Fields, rest, value) };
}

/** Letters, digits, and . _ - of the values; what that loses is told apart by a hash. */
function nameOf(told: readonly [string, unknown][]): string {
  const parts = told.map(([field, value]) => {
    const text = typeof value === 'string' ? value : Array.isArray(value) ? value.join('+') : String(value);
    // Family and hook point say themselves what they are.
    const speaksForItself = field === 'dictionary.family' || field === 'hook' || field === 'target.hook';
    return `${speaksForItself ? '' : field.replace(/^(dictionary|training)\./, '')}${text}`;
  });
  const whole = parts.join('-') || 'only';
  const plain = whole.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^[.-]/, '_');
  if (plain === whole && plain.length <= LONGEST_NAME) return plain;
  const hash = sha256(JSON.stringify(told)).slice(0, 8);
  return `${plain.slice(0, LONGEST_NAME - 9)}-${hash}`;
}
