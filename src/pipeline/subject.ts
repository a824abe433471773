/**
 * What a run takes apart: a model, a corpus split by document, and the activations of the training part, harvested
 * once and kept in the cache. The null of re-initialised weights is a subject too, on the same corpus.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../activations/cache.ts';
import { loadCorpus } from '../activations/corpora/index.ts';
import { type Corpus, type Split, splitByDocument } from '../activations/corpus.ts';
import { modelSource } from '../activations/harvest.ts';
import { sequencesOf } from '../activations/parts.ts';
import type { ActivationSource } from '../activations/source.ts';
import { openStore, type StoreOrigin, writeStore } from '../activations/store.ts';
import { InputError } from '../formats/errors.ts';
import { sha256 } from '../formats/hash.ts';
import type { Backend, Precision } from '../kernels/backend.ts';
import { checkHook, hookWidth } from '../models/hooks.ts';
import { loadModel } from '../models/registry.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import type { Transformer } from '../models/transformer.ts';
import type { RunConfig } from '../runs/config.ts';
import { siteOf } from '../runs/site.ts';
import { type FileSubject, loadFileSubject } from './fileSubject.ts';
import { type Reporter, type Stopwatch, unreported } from './reporter.ts';

export interface Subject {
  readonly model: Transformer;
  readonly tokenizer: Tokenizer;
  readonly modelSha256: string;
  readonly modelSource: string;
  readonly corpus: Corpus;
  /** Tokens that the model wrote for it now; 0 where the corpus was there already. */
  readonly sampledTokens: number;
  readonly split: Split;
}

/** What work on a run has at hand. */
export interface Workbench {
  readonly backend: Backend;
  readonly reporter: Reporter;
  readonly stopwatch: Stopwatch;
  readonly signal?: AbortSignal;
}

type SubjectConfig = Pick<RunConfig, 'activations' | 'model' | 'hook' | 'target' | 'corpus' | 'precision'>;

/** The precision that a configuration asks for, or the fastest where it leaves it open. */
export function precisionOf(backend: Backend, { precision }: Pick<RunConfig, 'precision'>): Precision {
  return precision === 'auto' ? backend.fastestPrecision : precision;
}

/** What activations come from: a model that reads a corpus, or a file, which has one place for all hook points. */
export type Material = Subject | FileSubject;

export function isFile(material: Material): material is FileSubject {
  return 'source' in material;
}

/** Of the activations at some hook points beside each other. */
export function widthAt(material: Material, hooks: readonly string[]): number {
  if (isFile(material)) return material.source.width;
  return hooks.reduce((sum, hook) => sum + hookWidth(material.model.config, hook), 0);
}

/** The activations of a part at some hook points beside each other, straight from the model or the file. */
export function activationsOf(
  material: Material,
  part: keyof Split,
  hooks: readonly string[],
): ActivationSource {
  if (isFile(material)) return sequencesOf(material.source, material.split[part]);
  return modelSource(material.model, material.corpus, material.split[part], hooks);
}

/** InputError where a configuration names a file of activations, behind which there is no model to run. */
export function expectModel({ activations }: Pick<RunConfig, 'activations'>): void {
  if (activations !== undefined)
    throw new InputError(
      `activations: found ${activations}, expected a model and a corpus to read; leave activations out`,
    );
}

/**
 * Loads the model and the corpus; samples the corpus where it is the model's own and not in the cache. InputError where
 * the configuration names a file in their place.
 */
export async function loadSubject(bench: Workbench, config: SubjectConfig): Promise<Subject> {
  expectModel(config);
  const { backend, stopwatch } = bench;
  const loaded = await unreported(stopwatch, 'model', () =>
    loadModel(config.model, backend, { precision: precisionOf(backend, config) }),
  );
  const { model, tokenizer } = loaded;
  const { inputs, outputs } = siteOf(config);
  for (const hook of [...inputs, ...outputs]) checkHook(model.config, hook);
  const reader = { model, tokenizer, modelSha256: loaded.sha256 };
  const { corpus, sampledTokens } = await readCorpus(bench, 'corpus', config.corpus, reader);
  const fractions = { validation: config.corpus.validationFraction, test: config.corpus.testFraction };
  return {
    ...reader,
    modelSource: loaded.source,
    corpus,
    sampledTokens,
    split: splitByDocument(corpus, fractions, config.corpus.seed),
  };
}

/** A corpus as `reader` reads it, in a phase of its own. */
export async function readCorpus(
  { reporter, stopwatch, signal }: Workbench,
  phase: string,
  wanted: RunConfig['corpus'],
  reader: Pick<Subject, 'model' | 'tokenizer' | 'modelSha256'>,
): Promise<Pick<Subject, 'corpus' | 'sampledTokens'>> {
  let sampledTokens = 0;
  const corpus = await stopwatch.phase(reporter, phase, 'tokens', (update) =>
    loadCorpus(wanted, {
      ...reader,
      onProgress: (done, total) => {
        signal?.throwIfAborted();
        sampledTokens = done;
        update(done, total);
      },
      onNotice: (line) => reporter.note(line),
    }),
  );
  return { corpus, sampledTokens };
}

/** The file that a configuration names, or else its model and its corpus. */
export async function loadMaterial(bench: Workbench, config: RunConfig): Promise<Material> {
  const { activations } = config;
  return activations === undefined ? loadSubject(bench, config) : loadFileSubject(bench, activations, config);
}

/** The same architecture with weights drawn anew, on the same corpus and split. */
export async function reinitialised(bench: Workbench, config: RunConfig, subject: Subject): Promise<Subject> {
  const {
    model,
    sha256: modelSha256,
    source,
  } = await unreported(bench.stopwatch, 'model', () =>
    loadModel(config.model, bench.backend, {
      initialise: { seed: config.seed + 1 },
      precision: precisionOf(bench.backend, config),
    }),
  );
  return { ...subject, model, modelSha256, modelSource: source };
}

/** Where the activations of `subject` at the hook points, beside each other, are kept, or will be. */
export function storeDirectory(
  subject: Subject,
  hooks: readonly string[],
): { dir: string; origin: StoreOrigin } {
  const { corpus, split } = subject;
  const origin: StoreOrigin = {
    model: subject.model.config.name,
    modelSha256: subject.modelSha256,
    hook: hooks.join('+'),
    corpus: corpus.name,
    corpusSha256: corpus.sha256,
    split: 'train',
  };
  const key = sha256(
    JSON.stringify([
      origin,
      sha256(new Uint8Array(split.train.buffer)),
      subject.model.backend.instructionSet,
      subject.model.precision,
    ]),
  );
  return { dir: join(cacheDirectory(), 'activations', key.slice(0, 32)), origin };
}

/**
 * The activations of the training part, to be read any number of times: those of a model from the store, harvested first
 * where they are not there yet.
 */
export async function trainingActivations(
  bench: Workbench,
  material: Material,
  hooks: readonly string[],
  phase = 'harvest',
): Promise<ActivationSource> {
  if (isFile(material)) return activationsOf(material, 'train', hooks);
  const { reporter, stopwatch, signal } = bench;
  const { dir, origin } = storeDirectory(material, hooks);
  const open = () => unreported(stopwatch, 'opening', () => openStore(dir));
  if (existsSync(dir)) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${error.message}; remove ${dir} to harvest it again`, { cause: error });
    }
  }
  const source = activationsOf(material, 'train', hooks);
  await stopwatch.phase(reporter, phase, 'tokens', (onProgress) =>
    writeStore(dir, source, origin, { onProgress, signal }),
  );
  return open();
}
