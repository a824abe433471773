/**
 * Trains dictionaries on one material and keeps them: one for a run, one for its null of re-initialised weights, many for a
 * sweep, all in one pass over the activations. What it leaves in a directory is SAELens' directory `sae/`,
 * `activations.safetensors` with the mean activation, and checkpoints.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { activationScale } from '../activations/normalise.ts';
import type { ActivationSource } from '../activations/source.ts';
import { type Dictionary, encode, foldColumns, foldScale } from '../dictionaries/dictionary.ts';
import type { Recipe } from '../dictionaries/families/family.ts';
import { familyOf } from '../dictionaries/families/index.ts';
import { readSaelens, writeSaelens } from '../dictionaries/interop/saelens.ts';
import type { NullName, NullTraining } from '../evaluation/nulls/index.ts';
import { writeDirAtomic } from '../formats/atomic.ts';
import { InputError } from '../formats/errors.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { Backend } from '../kernels/backend.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, RUN_FILES } from '../runs/directory.ts';
import type { MetricsLine } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { type TrainingOptions, totalSteps } from '../training/options.ts';
import { trainingOptions, withRecipe } from '../training/recipe.ts';
import { currentDictionary, deadLatents } from '../training/state.ts';
import { type Block, boundsOf, splitBlocks, widthOf } from '../training/stream.ts';
import { type Arm, type TrainRequest, type TrainResult, train } from '../training/train.ts';
import { unreported } from './reporter.ts';
import {
  activationsOf,
  type Material,
  precisionOf,
  trainingActivations,
  type Workbench,
  widthAt,
} from './subject.ts';

/** Held-out tokens on which training is watched. */
export const VALIDATION_ROWS = 8192;

const MEAN_FILE = 'activations.safetensors';

export interface Learned {
  readonly dictionary: Dictionary;
  /** Mean activation of the training part at what the dictionary predicts, `[outputWidth]`. */
  readonly mean: Float32Array;
}

/** A dictionary to be learned, and where it is kept. */
export interface Lesson {
  readonly config: RunConfig;
  readonly dir: string;
  readonly resume: boolean;
  /** Which null it is, where it is one, and what it may not learn. */
  readonly asNull?: { readonly name: NullName; readonly training: NullTraining };
  readonly onStart?: (step: number) => Promise<void>;
  /** Called for steps that are logged. Without it, and without `afterStep`, held-out rows are not looked at on the way. */
  readonly onLine?: (line: MetricsLine) => Promise<void>;
}

export interface LearnResult {
  /** Of the activations that are read. */
  readonly width: number;
  readonly end: TrainResult['end'];
  readonly steps: number;
  readonly deadLatents: number;
  /** Latents that fired on a token, on average over the steps that this call took. */
  readonly l0: number;
  /** What the activations at the first hook point were multiplied by in training. */
  readonly scale: number;
}

/** The configuration with every `auto` resolved, for activations of this width on this backend. */
export function resolveTraining(config: RunConfig, width: number, backend: Backend): RunConfig {
  const { dictionary, training } = config;
  return {
    ...config,
    precision: precisionOf(backend, config),
    training: { ...training, ...withRecipe(familyOf(dictionary.family), dictionary, training, width) },
  };
}

/** Steps between two looks at the validation rows. */
export function validateEvery(training: RunConfig['training']): number {
  return Math.max(training.logEvery, Math.ceil(totalSteps(training) / 50));
}

/**
 * Trains all lessons on `material` to the end, or until the signal or `afterStep` stops them, in one pass over the
 * activations. They must agree on `training.batch`, `windowRows` and `shuffleSeed`. `phase` names what is reported;
 * `hooks` are harvested together, those of the lessons where they are not given.
 */
export async function learn(
  bench: Workbench,
  lessons: readonly Lesson[],
  material: Material,
  options: { phase: string; hooks?: readonly string[]; afterStep?: TrainRequest['afterStep'] },
): Promise<LearnResult[]> {
  const { backend, reporter, stopwatch, signal } = bench;
  const { phase, afterStep, hooks = hooksOf(lessons.map(({ config }) => siteOf(config))) } = options;
  const harvest = phase.replace('training', 'harvest');
  const source = await trainingActivations(bench, material, hooks, harvest);
  const { batch, windowRows, shuffleSeed } = lessons[0].config.training;
  const [blocks, validation] = await unreported(stopwatch, 'preparation', async () => [
    await blocksOf(material, hooks, source, shuffleSeed),
    await validationActivations(material, hooks),
  ]);
  const totals = lessons.map(({ config }) => totalSteps(config.training));
  const allTokens = Math.max(...totals) * batch;
  const tallies = lessons.map(() => ({ l0: 0, steps: 0 }));
  const results = await stopwatch.phase(reporter, phase, 'tokens', (update) => {
    const arms = lessons.map(({ config, dir, resume, asNull, onStart, onLine }, i): Arm => {
      const { logEvery, checkpointEvery } = config.training;
      return {
        ...armOf(bench, config, material, { blocks, validation }, asNull?.training),
        checkpoints: { dir: join(dir, RUN_FILES.checkpoints), every: checkpointEvery },
        resume,
        ...(!onLine && !afterStep && { validateEvery: undefined }),
        onStart,
        onStep: async (metrics) => {
          const { step, tokens, loss, l0, fvu, dead } = metrics;
          tallies[i].l0 += l0;
          tallies[i].steps++;
          if (!asNull) update(tokens, allTokens, { loss, fvu, l0, dead });
          const due = step % logEvery === 0 || step === totals[i] || metrics.validationFvu !== undefined;
          if (due) await onLine?.(metrics);
        },
      };
    });
    const stream = { source, batch, windowRows, shuffleSeed };
    return train({ backend, stream, arms, afterStep, signal }).then((ends) =>
      ends.map((end, i) => ({ ...end, arm: arms[i] })),
    );
  });
  return unreported(stopwatch, 'keeping', () =>
    Promise.all(
      results.map(async ({ state, end, arm }, i) => {
        if (end === 'finished') {
          const dictionary = inRawUnits(await currentDictionary(backend, state, arm.options), arm);
          const mean = Float32Array.from(
            (arm.target ?? arm.input).flatMap((block) => Array.from(block.mean)),
          );
          const heldOut = splitBlocks(validation.activations, validation.rows, source.width);
          const { x } = heldOut.read(arm.input.map((block) => ({ ...block, scale: 1 })));
          await keep(bench, lessons[i], { dictionary, mean }, x, validation.rows);
        }
        const { l0, steps } = tallies[i];
        return {
          width: state.width,
          end,
          steps: state.step,
          deadLatents: deadLatents(state, arm.options.deadAfterTokens).length,
          l0: steps === 0 ? 0 : l0 / steps,
          scale: arm.input[0].scale,
        };
      }),
    ),
  );
}

/** What is trained for a configuration, and on what; as a null where `nullTraining` says how. */
export function armOf(
  { backend }: Workbench,
  config: RunConfig,
  material: Material,
  { blocks, validation }: Pick<Arm, 'validation'> & { readonly blocks: Readonly<Record<string, Block>> },
  { freeze, mixed }: NullTraining = {},
): Arm {
  const { inputs, outputs, autoencoder } = siteOf(config);
  const options = { ...optionsOf(config, widthAt(material, inputs), backend), freeze };
  const scaled = (of: readonly string[]) => of.map((hook) => inUnitsOf(options.family.recipe, blocks[hook]));
  return {
    options,
    input: scaled(inputs),
    ...(!autoencoder && { target: scaled(outputs) }),
    mixed,
    validation,
    validateEvery: validateEvery(config.training),
  };
}

/** The dictionary that `learn` left in `dir`. */
export async function readLearned(dir: string): Promise<Learned> {
  const sae = join(dir, RUN_FILES.dictionary);
  if (!(await exists(sae))) {
    throw new InputError(
      `${dir}: there is no ${RUN_FILES.dictionary}/: training has not finished; go on with: monosem train --resume ${dir}`,
    );
  }
  const { dictionary } = await readSaelens(sae);
  const file = join(dir, MEAN_FILE);
  const mean = (await readSafetensors(file)).get('mean')?.data;
  if (!(mean instanceof Float32Array) || mean.length !== dictionary.outputWidth) {
    throw new InputError(`${file}: expected a tensor mean of ${dictionary.outputWidth} F32 values`);
  }
  return { dictionary, mean };
}

/** Writes a dictionary down with how often each latent fires on held-out rows `x [rows, width]`. */
async function keep(
  bench: Workbench,
  { config, dir, asNull }: Lesson,
  { dictionary, mean }: Learned,
  x: Float32Array,
  rows: number,
): Promise<void> {
  const codes = await encode(bench.backend, dictionary, x, rows);
  const frequency = new Float64Array(dictionary.latents);
  for (const latent of codes.indices) frequency[latent] += 1 / rows;
  const metadata = {
    ...(config.activations === undefined
      ? {
          model_name: config.model,
          hook_name: [config.hook].flat().join('+'),
          context_size: config.corpus.context,
          prepend_bos: true,
          dataset_path: config.corpus.name,
        }
      : {
          model_name: 'unknown',
          hook_name: 'unknown',
          context_size: 1,
          prepend_bos: false,
          dataset_path: config.activations,
        }),
    ...(config.target && { hook_name_out: config.target.hook }),
    monosem_family: config.dictionary.family,
    monosem_seed: config.seed,
    ...(asNull && { monosem_null: asNull.name }),
  };
  await mkdir(dir, { recursive: true });
  await writeSafetensors(join(dir, MEAN_FILE), { mean: { dtype: 'F32', shape: [mean.length], data: mean } });
  // A resumed run that had finished writes the same bytes again.
  await rm(join(dir, RUN_FILES.dictionary), { recursive: true, force: true });
  await writeDirAtomic(join(dir, RUN_FILES.dictionary), (whole) =>
    writeSaelens(whole, dictionary, metadata, { frequency, own: true }),
  );
}

/** What training is told, of the configuration of a run. */
export function optionsOf(config: RunConfig, width: number, backend: Backend): TrainingOptions {
  const { training, dictionary, seed, target } = config;
  const precision = precisionOf(backend, config);
  const family = familyOf(dictionary.family);
  const decided = withRecipe(family, dictionary, training, width);
  const given = { ...training, ...decided, seed, precision, skip: target?.skip ?? false };
  return trainingOptions(family, dictionary, given, width);
}

/** Where each hook point stands in the source, with its mean and the scale that brings its mean squared norm to 1. */
export async function blocksOf(
  material: Material,
  hooks: readonly string[],
  source: ActivationSource,
  seed: number,
): Promise<Record<string, Block>> {
  const blocks: Record<string, Block> = {};
  let start = 0;
  for (const hook of hooks) {
    const end = start + widthAt(material, [hook]);
    blocks[hook] = { start, end, ...(await activationScale(source, { seed, start, end })) };
    start = end;
  }
  return blocks;
}

/** The block with the scale that a family's recipe is for. */
function inUnitsOf({ squaredNorm }: Recipe, block: Block): Block {
  return squaredNorm === 'one'
    ? block
    : { ...block, scale: block.scale * Math.sqrt(block.end - block.start) };
}

/** The dictionary that was trained on scaled blocks, for the activations as they are. */
export function inRawUnits(dictionary: Dictionary, { input, target = input }: Arm): Dictionary {
  const folded = foldScale(dictionary, input[0].scale, target[0].scale);
  if (input.length === 1 && target.length === 1) return folded;
  return foldColumns(folded, relativeScales(input), relativeScales(target));
}

/** What is left of each column's scale when the first block's is taken away. */
function relativeScales(blocks: readonly Block[]): Float64Array {
  const bounds = boundsOf(blocks);
  const scales = new Float64Array(widthOf(blocks));
  blocks.forEach(({ scale }, b) => {
    scales.fill(scale / blocks[0].scale, bounds[b], bounds[b + 1]);
  });
  return scales;
}

/** Held-out rows on which training is watched. */
export async function validationActivations(
  material: Material,
  hooks: readonly string[],
): Promise<{ activations: Float32Array; rows: number }> {
  const source = activationsOf(material, 'validation', hooks);
  const sequences: number[] = [];
  for (let s = 0, rows = 0; s < source.sequences && rows < VALIDATION_ROWS; s++) {
    sequences.push(s);
    rows += source.rowsOf(s);
  }
  return source.read(sequences);
}
