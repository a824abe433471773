/**
 * What a run must hold in memory at once, and what it must move, counted from shapes: the least that it can do with, before
 * garbage and the process itself.
 */
import { tokenCount } from '../activations/corpus.ts';
import { SHARD_BYTES } from '../activations/store.ts';
import { MAX_GROUPS } from '../evaluation/sums.ts';
import type { RunConfig } from '../runs/config.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { keptGradients } from '../training/gradients.ts';
import { parameterLengths } from '../training/state.ts';
import { optionsOf, VALIDATION_ROWS } from './learn.ts';
import { nullsOfKind } from './nulls.ts';
import { type Subject, type Workbench, widthAt } from './subject.ts';

/** Rows that are harvested at once; see `activations/store.ts`. */
const GROUP_ROWS = 16384;
/** Latent, value, and for each entry its row, gradient and place in the order of the latents. */
const ENTRY_BYTES = 24;
/** Window of tokens and activations, score, activation, place: see `interpretation/examples.ts`. */
const EXAMPLE_BYTES = 19 * 8 + 8 + 4 + 20;

export interface Footprint {
  /** Bytes that live at once in each phase, beside the process with its model. */
  readonly live: Readonly<Record<string, number>>;
  /** Bytes to and from memory in training, and to and from the disk in harvest and training. */
  readonly moved: Readonly<Record<string, number>>;
}

/** Of a run with `l0` latents active on a token. `config` is resolved. */
export function footprint(bench: Workbench, config: RunConfig, subject: Subject, l0: number): Footprint {
  const site = siteOf(config);
  const [width, outputWidth] = [widthAt(subject, site.inputs), widthAt(subject, site.outputs)];
  const row = 4 * widthAt(subject, hooksOf([site])) + 16;
  const { corpus, split } = subject;
  const rows = tokenCount(corpus, split.train) - split.train.length;
  const { batch, tokens, windowRows } = config.training;
  const { latents } = config.dictionary;
  const options = optionsOf(config, width, bench.backend);
  const parameters =
    4 * parameterLengths(options, width, outputWidth).reduce((sum, [, length]) => sum + length, 0);
  const moments = options.optimiser === 'adam' ? 2 : 1;
  const text = 4 * corpus.tokens.length + 8 * corpus.documents.length;
  const entries = batch * (l0 + options.auxLatents) * ENTRY_BYTES;
  const validation = VALIDATION_ROWS * row;
  const trained = 1 + nullsOfKind(config, 'trained').length;
  const dictionaries = trained + nullsOfKind(config, 'made').length;
  const documents = new Set(Array.from(split.test, (s) => corpus.documents[s])).size;
  const { topExamples, sampledExamples } = config.interpretation;
  const steps = Math.floor(tokens / batch);
  return {
    live: {
      corpus: text,
      harvest: text + Math.min(SHARD_BYTES, rows * row) + Math.min(rows, GROUP_ROWS) * row,
      training:
        text +
        2 * Math.min(rows, windowRows) * row +
        trained * parameters * (1 + moments) +
        validation +
        batch * row +
        4 * batch * (width + 2 * outputWidth) +
        4 * keptGradients(latents, width, outputWidth) +
        entries,
      evaluation:
        text + parameters * dictionaries + 4 * Math.min(MAX_GROUPS, documents) * latents * dictionaries,
      examples: text + parameters + latents * (topExamples + sampledExamples) * EXAMPLE_BYTES,
    },
    moved: {
      // Written, read for its hash, read again when it is opened.
      harvest: 3 * rows * row,
      // Windows; the encoder's weights; parameters and moments read and written; the batch; and what grows with L0.
      training:
        tokens * row +
        trained *
          (steps * parameters * (0.5 + 2 * (1 + moments)) +
            tokens * (12 * width + 8 * l0 * (width + outputWidth))),
    },
  };
}
