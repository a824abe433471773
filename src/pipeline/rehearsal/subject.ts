/**
 * The subject of a rehearsal: the run's model, and a corpus of the run's size. One that the model would have to write first
 * is a few real texts over and over, so that all that follows finds arrays of the right shape.
 */

import { existsSync } from 'node:fs';
import { selfSampledFile } from '../../activations/corpora/selfSampled.ts';
import { type Corpus, splitByDocument } from '../../activations/corpus.ts';
import { loadModel } from '../../models/registry.ts';
import { sampleTokens } from '../../models/sampling.ts';
import type { RunConfig } from '../../runs/config.ts';
import { timed } from '../clock.ts';
import { Stopwatch, silent } from '../reporter.ts';
import { expectModel, loadSubject, precisionOf, type Subject, type Workbench } from '../subject.ts';
import type { Meter } from './meter.ts';

/** Sequences that are written together; see `sampleTokens`. */
const SAMPLED = 64;

/** Runs load the subject twice: to train, and to evaluate. */
export async function rehearseSubject(bench: Workbench, config: RunConfig, meter: Meter): Promise<Subject> {
  expectModel(config);
  const { corpus: spec } = config;
  const loaded = await meter.measure('model', 2, () =>
    loadModel(config.model, bench.backend, { precision: precisionOf(bench.backend, config) }),
  );
  const { model, tokenizer, sha256: modelSha256, source: modelSource } = loaded;
  const file = selfSampledFile(model, { ...spec, modelSha256 });
  if (spec.name !== 'self' || existsSync(file.path)) {
    const stopwatch = new Stopwatch();
    const subject = await loadSubject({ ...bench, stopwatch, reporter: silent }, config);
    meter.add('corpus', stopwatch.timing.corpus, 2);
    return subject;
  }
  const count = Math.min(SAMPLED, file.sequences);
  const options = { sequences: count, length: spec.context, temperature: spec.temperature, seed: spec.seed };
  // The first steps compile what the others run.
  await sampleTokens(model, { ...options, length: Math.min(spec.context, 8) });
  const { result: texts, ...seconds } = await timed(() => sampleTokens(model, options));
  meter.add('corpus', seconds, file.sequences / count);
  const corpus = repeated(texts, file.sequences, spec.context);
  const fractions = { validation: spec.validationFraction, test: spec.testFraction };
  return {
    model,
    tokenizer,
    modelSha256,
    modelSource,
    corpus,
    sampledTokens: corpus.tokens.length,
    split: splitByDocument(corpus, fractions, spec.seed),
  };
}

/** A corpus of as many sequences, one a document, each of them one of `texts [count * context]`. */
function repeated(texts: Int32Array, sequences: number, context: number): Corpus {
  const tokens = new Int32Array(sequences * context);
  for (let at = 0; at < tokens.length; at += texts.length)
    tokens.set(texts.subarray(0, tokens.length - at), at);
  return {
    name: 'self',
    description: 'a few texts over and over',
    modelGenerated: true,
    sha256: '0'.repeat(64),
    tokens,
    offsets: Uint32Array.from({ length: sequences + 1 }, (_, i) => i * context),
    documents: Uint32Array.from({ length: sequences }, (_, i) => i),
  };
}
