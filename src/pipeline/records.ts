/** What run.json says of a run: how it began, what it is about, what its phases cost. */
import { cpus } from 'node:os';
import { tokenCount } from '../activations/corpus.ts';
import type { Backend } from '../kernels/backend.ts';
import type { RunConfig } from '../runs/config.ts';
import type { Evaluation, Run } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { monosemVersion } from '../version.ts';
import { describeFile } from './fileSubject.ts';
import { evaluationFlops, explanationFlops, harvestFlops, samplingFlops, trainingFlops } from './flops.ts';
import type { LearnResult } from './learn.ts';
import { isFile, type Material, type Subject, type Workbench, widthAt } from './subject.ts';

/** Of a run that begins. */
export async function firstRecord({ backend }: Workbench, config: RunConfig): Promise<Run> {
  return {
    format: 1,
    name: config.name,
    status: 'running',
    created: new Date().toISOString(),
    config,
    seed: config.seed,
    versions: { monosem: await monosemVersion(), node: process.versions.node },
    machine: machineOf(backend),
    timing: {},
    flops: {},
  };
}

/** What the numbers are made on. */
export function machineOf({ name, instructionSet, threads }: Backend): Run['machine'] {
  return { cpu: cpus()[0]?.model.trim() || 'unknown', backend: name, instructionSet, threads };
}

/** What the run is about. */
export function describe(material: Material): Pick<Run, 'model' | 'corpus' | 'file'> {
  if (isFile(material)) return describeFile(material);
  const { model, modelSha256, modelSource, corpus, split } = material;
  const documents = (part: Uint32Array) => new Set(Array.from(part, (s) => corpus.documents[s])).size;
  const counts = (count: (part: Uint32Array) => number) => ({
    train: count(split.train),
    validation: count(split.validation),
    test: count(split.test),
  });
  return {
    model: { name: model.config.name, sha256: modelSha256, source: modelSource },
    corpus: {
      name: corpus.name,
      description: corpus.description,
      modelGenerated: corpus.modelGenerated,
      sha256: corpus.sha256,
      documents: counts(documents),
      tokens: counts((part) => tokenCount(corpus, part)),
    },
  };
}

/**
 * What run.json says of a training as far as it came, of the nulls that are trained beside it, and of that of re-initialised
 * weights where it has begun.
 */
export function trainedRecord(
  { stopwatch: { timing, memory } }: Workbench,
  config: RunConfig,
  material: Material,
  { width, scale, steps, deadLatents, l0 }: LearnResult,
  nulls: { readonly besides?: readonly LearnResult[]; readonly reset?: LearnResult } = {},
): Pick<Run, 'activations' | 'training' | 'flops' | 'timing' | 'memory'> {
  const flops = (of: { steps: number; l0: number }) =>
    trainingFlops(config, width, of.l0, of.steps * config.training.batch);
  return {
    activations: { width, scale },
    training: { tokens: steps * config.training.batch, steps, deadLatents },
    timing,
    memory,
    flops: {
      ...materialFlops(material, config, timing),
      training: (nulls.besides ?? []).reduce((sum, one) => sum + flops(one), flops({ steps, l0 })),
      ...(nulls.reset && { 'training of the null': flops(nulls.reset) }),
    },
  };
}

/** FLOPs of sampling and harvests, as far as this process made them: what it found in the cache cost it nothing. */
function materialFlops(material: Material, config: RunConfig, timing: Run['timing']): Run['flops'] {
  if (isFile(material)) return {};
  const { model, corpus, split, sampledTokens } = material;
  const flops = harvestFlops(model.config, hooksOf([siteOf(config)]), tokenCount(corpus, split.train));
  const made = ['harvest', 'harvest of the null'].filter((phase) => phase in timing);
  return {
    ...(sampledTokens > 0 && { corpus: samplingFlops(model.config, sampledTokens) }),
    ...Object.fromEntries(made.map((phase) => [phase, flops])),
  };
}

/** FLOPs of the evaluation and the explanation, by the L0 that was measured. */
export function finishFlops(config: RunConfig, material: Material, evaluation: Evaluation): Run['flops'] {
  return isFile(material) ? {} : modelFinishFlops(config, material, evaluation);
}

function modelFinishFlops(
  config: RunConfig,
  subject: Subject,
  { tokens, metrics }: Evaluation,
): Run['flops'] {
  const site = siteOf(config);
  const { config: model } = subject.model;
  const width = widthAt(subject, site.inputs);
  const { nulls } = metrics.l0;
  const of = (l0: number | null | undefined, dictionaries: number) =>
    evaluationFlops(model, config, site, { width, l0: l0 ?? 0, tokens, dictionaries });
  const beside = nulls.filter(({ name }) => name !== 'reinitialised').length;
  const reset = nulls.find(({ name }) => name === 'reinitialised');
  return {
    evaluation: of(metrics.l0.value, 1 + beside),
    ...(reset && { 'evaluation of the null': of(reset.value, 1) }),
    examples: explanationFlops(model, config, width, tokenCount(subject.corpus, subject.split.train)),
  };
}
