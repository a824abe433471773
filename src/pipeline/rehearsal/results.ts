/** What comes after training, in a rehearsal: keeping the dictionary, evaluation, intervals, examples, logits, files. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { columnsOf } from '../../activations/parts.ts';
import type { ActivationStore } from '../../activations/store.ts';
import { type Dictionary, encode } from '../../dictionaries/dictionary.ts';
import { measure } from '../../evaluation/metrics.ts';
import { spliceAll } from '../../evaluation/splice.ts';
import { emptySums, MAX_GROUPS } from '../../evaluation/sums.ts';
import { bytesAt } from '../../formats/size.ts';
import { collectExamples } from '../../interpretation/examples.ts';
import { tokenLogits } from '../../interpretation/logits.ts';
import { drawResamples } from '../../math/bootstrap.ts';
import { Random } from '../../math/random.ts';
import type { RunConfig } from '../../runs/config.ts';
import { RUN_FILES } from '../../runs/directory.ts';
import { siteOf } from '../../runs/site.ts';
import { writeExamples } from '../../runs/tables.ts';
import { indexWords } from '../atlas.ts';
import { NO_TIME, type Seconds, sum, timed, times } from '../clock.ts';
import { allExamples, NAMED_TOKENS, tokenTexts } from '../explain.ts';
import { madeNulls, nullsOfKind } from '../nulls.ts';
import { type Subject, type Workbench, widthAt } from '../subject.ts';
import type { Meter } from './meter.ts';

/** Sequences that the model is spliced on: two batches, the first of which compiles what the second runs. */
const SPLICED = 32;
const EXAMPLE_SEQUENCES = 96;
const RESAMPLES = 20;
/** Latents whose examples are written, after those of the first few have compiled what writes them. */
const WRITTEN = 2000;
const WRITTEN_FIRST = 100;

export interface Trained {
  readonly dictionary: Dictionary;
  readonly mean: Float32Array;
  /** The nulls that are trained beside it. */
  readonly nulls: readonly Dictionary[];
}

/** The test split through the dictionary and its nulls, and the bootstrap of all. */
export async function rehearseEvaluation(
  bench: Workbench,
  config: RunConfig,
  subject: Subject,
  { dictionary, mean, nulls }: Trained,
  reset: Subject | undefined,
  meter: Meter,
): Promise<void> {
  const site = siteOf(config);
  const { test } = subject.split;
  const { resamples } = config.evaluation;
  const trained = nulls.map((one, i) => [`trained null ${i}`, one] as const);
  const dictionaries: Record<string, Dictionary> = { own: dictionary, ...Object.fromEntries(trained) };
  if (nullsOfKind(config, 'made').length > 0) {
    const made = await meter.measure('making nulls', 1, () =>
      madeNulls(bench, subject, [{ config, dictionary, mean }]),
    );
    Object.assign(dictionaries, made.dictionaries);
  }
  const splice = async (of: Subject, which: Record<string, Dictionary>): Promise<Seconds> => {
    const sequences = test.subarray(0, SPLICED);
    const request = { model: of.model, site, corpus: of.corpus, dictionaries: which, mean };
    await spliceAll({ ...request, sequences: sequences.subarray(0, SPLICED / 2) });
    const { result: _, ...seconds } = await timed(() => spliceAll({ ...request, sequences }));
    return times(seconds, test.length / sequences.length);
  };
  meter.add('evaluation', await splice(subject, dictionaries));
  if (reset) meter.add('evaluation of the null', await splice(reset, { own: dictionary }));
  const documents = new Set(Array.from(test, (s) => subject.corpus.documents[s])).size;
  const groups = Math.min(MAX_GROUPS, documents);
  const count = Object.keys(dictionaries).length + (reset ? 1 : 0);
  const all = Array.from({ length: count }, () => emptySums(groups, mean.length, dictionary.latents));
  const draws = drawResamples(groups, Math.min(RESAMPLES, resamples), new Random(config.seed, 'rehearsal'));
  const bootstrap = () => timed(async () => all.map((sums) => measure(sums, draws)));
  await bootstrap();
  const seconds = await bootstrap();
  meter.add('intervals', seconds, resamples / draws.length);
}

/** Examples, logits, the tables that they are written to, in `dir`, and their words. Gives the bytes of examples and words. */
export async function rehearseExplanation(
  { backend }: Workbench,
  config: RunConfig,
  subject: Subject,
  dictionary: Dictionary,
  { source, rows, l0 }: { source: ActivationStore; rows: number; l0: number },
  dir: string,
  meter: Meter,
): Promise<number> {
  const { topExamples: top, sampledExamples: sampled } = config.interpretation;
  const own = columnsOf(source, 0, widthAt(subject, siteOf(config).inputs));
  const sequences = Math.min(EXAMPLE_SEQUENCES, source.sequences);
  const some = { ...own, sequences };
  const read = Array.from({ length: sequences }, (_, s) => source.rowsOf(s)).reduce((a, b) => a + b, 0);
  const collect = (kept: { top: number; sampled: number }) =>
    timed(() => collectExamples({ backend, dictionary, source: some, ...kept, seed: config.seed }));
  await collectExamples({ backend, dictionary, source: { ...own, sequences: 1 }, top, sampled, seed: 0 });
  const without = await collect({ top: 0, sampled: 0 });
  const { result: collected, ...withAll } = await collect({ top, sampled });
  const captures = (of: number) => expectedCaptures((of * l0) / dictionary.latents, top, sampled);
  const more = captures(rows) / captures(read);
  const kept = sum(withAll, times(without, -1));
  const keeping = kept.cpuSeconds > 0 ? kept : NO_TIME;
  meter.add('examples', sum(times(without, rows / read), times(keeping, more)));
  if (dictionary.outputWidth === subject.model.config.width) {
    await meter.measure('logits', 1, () =>
      tokenLogits(backend, dictionary, subject.model.unembedding, NAMED_TOKENS),
    );
  }
  const frequent = collected.latents.filter(({ firings }) => firings >= top + sampled);
  const from = frequent.length > 0 ? frequent : collected.latents;
  await mkdir(dir, { recursive: true });
  const text = tokenTexts(subject.tokenizer);
  const write = (latents: typeof from) => timed(() => writeExamples(dir, allExamples(latents, text)));
  await write(from.slice(0, WRITTEN_FIRST));
  const written = Array.from(
    { length: Math.min(WRITTEN, dictionary.latents) },
    (_, i) => from[i % from.length],
  );
  const count = written.reduce((n, latent) => n + latent.top.length + latent.quantiles.flat().length, 0);
  const writing = await write(written);
  const firings = (rows * l0) / dictionary.latents;
  const expected = dictionary.latents * (Math.min(top, firings) + Math.min(sampled, firings));
  meter.add('writing', writing, expected / count);
  const greatest = written.map(({ maxActivation }) => maxActivation);
  const { result: _, ...indexing } = await timed(() => indexWords(dir, greatest));
  meter.add('atlas', indexing, expected / count);
  const bytes = await Promise.all(
    [RUN_FILES.examples, RUN_FILES.words].map((file) => bytesAt(join(dir, file))),
  );
  return (bytes.reduce((sum, one) => sum + one, 0) / count) * expected;
}

/** What `learn` does once a dictionary is trained: encodes held-out rows, and writes. */
export async function rehearseKeeping(
  { backend }: Workbench,
  dictionary: Dictionary,
  validation: { activations: Float32Array; rows: number },
  write: () => Promise<void>,
): Promise<Seconds> {
  const { result: _, ...seconds } = await timed(async () => {
    const x = validation.activations.subarray(0, validation.rows * dictionary.width);
    await encode(backend, dictionary, x, validation.rows);
    await write();
  });
  return seconds;
}

/**
 * How often a firing is kept by a latent that fires `firings` times in random order: each of the first `c` is, and the i-th
 * after them with a probability of c / i.
 */
function expectedCaptures(firings: number, ...capacities: number[]): number {
  return capacities.reduce(
    (sum, c) => sum + (c === 0 || firings <= c ? Math.min(c, firings) : c * (1 + Math.log(firings / c))),
    0,
  );
}
