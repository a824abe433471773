/**
 * Trains one dictionary on one subject and keeps it: for the run itself, and in the same way for its null of
 * re-initialised weights. What it leaves in `dir` is SAELens' directory `sae/`, `activations.safetensors` with the
 * mean activation, and checkpoints.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { modelSource } from '../activations/harvest.ts';
import { activationScale } from '../activations/normalise.ts';
import type { ActivationSource } from '../activations/source.ts';
import { type Dictionary, encode, foldScale } from '../dictionaries/dictionary.ts';
import { familyOf } from '../dictionaries/families/index.ts';
import { readSaelens, writeSaelens } from '../dictionaries/interop/saelens.ts';
import { writeDirAtomic } from '../formats/atomic.ts';
import { InputError } from '../formats/errors.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { Backend } from '../kernels/backend.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, RUN_FILES } from '../runs/directory.ts';
import type { MetricsLine } from '../runs/schema.ts';
import { type TrainingOptions, totalSteps } from '../training/options.ts';
import { withRecipe } from '../training/recipe.ts';
import { currentDictionary, deadLatents } from '../training/state.ts';
import { train } from '../training/train.ts';
import { precisionOf, type Subject, trainingActivations, type Workbench } from './subject.ts';

/** Held-out tokens on which training is watched. */
const VALIDATION_ROWS = 8192;

const MEAN_FILE = 'activations.safetensors';

export interface Learned {
  readonly dictionary: Dictionary;
  /** Mean activation of the training part, `[width]`. */
  readonly mean: Float32Array;
}

export interface LearnResult {
  /** Of the activations. */
  readonly width: number;
  readonly finished: boolean;
  readonly steps: number;
  readonly deadLatents: number;
  /** Latents that fired on a token, on average over the steps that this call took. */
  readonly l0: number;
  /** What the activations were multiplied by in training. */
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

/** Trains on `subject` to the end, or until the signal stops it. Goes on from a checkpoint in `dir` with `resume`. */
export async function learn(
  bench: Workbench,
  config: RunConfig,
  subject: Subject,
  dir: string,
  options: {
    phase: string;
    resume: boolean;
    onStart?: (step: number) => Promise<void>;
    onLine?: (line: MetricsLine) => Promise<void>;
  },
): Promise<LearnResult> {
  const { backend, reporter, stopwatch, signal } = bench;
  const source = await trainingActivations(
    bench,
    subject,
    config.hook,
    options.phase.replace('training', 'harvest'),
  );
  const resolved = trainingOptions(config, source.width, backend);
  const { scale: unitScale, mean } = await activationScale(source, { seed: config.training.shuffleSeed });
  const scale =
    resolved.family.recipe.squaredNorm === 'one' ? unitScale : unitScale * Math.sqrt(source.width);
  const validation = await validationActivations(subject, config.hook);
  const { logEvery, checkpointEvery } = config.training;
  const checkpoints = { dir: join(dir, RUN_FILES.checkpoints), every: checkpointEvery };
  const total = totalSteps(resolved);
  let [l0Sum, taken] = [0, 0];
  const { state, finished } = await stopwatch.phase(reporter, options.phase, 'tokens', (update) =>
    train({
      backend,
      source,
      scale,
      mean,
      options: resolved,
      validation,
      validateEvery: Math.max(logEvery, Math.ceil(total / 50)),
      checkpoints,
      resume: options.resume,
      signal,
      onStart: options.onStart,
      onStep: async (metrics) => {
        const { loss, l0, fvu, dead } = metrics;
        l0Sum += l0;
        taken++;
        update(metrics.tokens, total * resolved.batch, { loss, fvu, l0, dead });
        const due =
          metrics.step % logEvery === 0 || metrics.step === total || metrics.validationFvu !== undefined;
        if (due) await options.onLine?.(metrics);
      },
    }),
  );
  if (finished) {
    const dictionary = foldScale(await currentDictionary(backend, state, resolved), scale);
    await keep(bench, config, dir, { dictionary, mean }, validation);
  }
  return {
    width: source.width,
    finished,
    steps: state.step,
    deadLatents: deadLatents(state, resolved.deadAfterTokens).length,
    l0: taken === 0 ? 0 : l0Sum / taken,
    scale,
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
  if (!(mean instanceof Float32Array) || mean.length !== dictionary.width) {
    throw new InputError(`${file}: expected a tensor mean of ${dictionary.width} F32 values`);
  }
  return { dictionary, mean };
}

async function keep(
  bench: Workbench,
  config: RunConfig,
  dir: string,
  { dictionary, mean }: Learned,
  validation: { activations: Float32Array; rows: number },
): Promise<void> {
  const codes = await encode(bench.backend, dictionary, validation.activations, validation.rows);
  const frequency = new Float64Array(dictionary.latents);
  for (const latent of codes.indices) frequency[latent] += 1 / validation.rows;
  const metadata = {
    model_name: config.model,
    hook_name: config.hook,
    context_size: config.corpus.context,
    prepend_bos: true,
    dataset_path: config.corpus.name,
    monosem_family: config.dictionary.family,
    monosem_seed: config.seed,
  };
  await mkdir(dir, { recursive: true });
  await writeSafetensors(join(dir, MEAN_FILE), { mean: { dtype: 'F32', shape: [mean.length], data: mean } });
  // A resumed run that had finished writes the same bytes again.
  await rm(join(dir, RUN_FILES.dictionary), { recursive: true, force: true });
  await writeDirAtomic(join(dir, RUN_FILES.dictionary), (whole) =>
    writeSaelens(whole, dictionary, metadata, frequency),
  );
}

function trainingOptions(config: RunConfig, width: number, backend: Backend): TrainingOptions {
  const { training, dictionary, seed } = config;
  const family = familyOf(dictionary.family);
  const recipe = withRecipe(family, dictionary, training, width);
  return {
    ...training,
    ...recipe,
    dictionary,
    family,
    seed,
    skip: false,
    precision: precisionOf(backend, config),
    decoderNorm: family.recipe.decoderNorm,
  };
}

async function validationActivations(
  subject: Subject,
  hook: string,
): Promise<{ activations: Float32Array; rows: number }> {
  const source: ActivationSource = modelSource(subject.model, subject.corpus, subject.split.validation, hook);
  const sequences: number[] = [];
  for (let s = 0, rows = 0; s < source.sequences && rows < VALIDATION_ROWS; s++) {
    sequences.push(s);
    rows += source.rowsOf(s);
  }
  return source.read(sequences);
}
