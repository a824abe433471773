/**
 * Harvest, store, and the stream of batches in a rehearsal. The model is run on a few sequences; the store that is written is
 * as large as the run's up to two shards, so that the memory of shards and windows is that of the run.
 */

import { modelSource } from '../../activations/harvest.ts';
import {
  type ActivationRows,
  type ActivationSource,
  allocateRows,
  copyRows,
} from '../../activations/source.ts';
import {
  type ActivationStore,
  openStore,
  SHARD_BYTES,
  type StoreOrigin,
  writeStore,
} from '../../activations/store.ts';
import { type Seconds, sum, timed, times } from '../clock.ts';
import type { Subject } from '../subject.ts';
import { meanTime } from './meter.ts';

/** Sequences that the model is run on at a time. */
const READ_SEQUENCES = 32;
const READ_SECONDS = 0.5;

export interface HarvestRehearsal {
  readonly source: ActivationSource;
  readonly store: ActivationStore;
  /** Of all rows of the run: by the model, and onto the disk. */
  readonly harvest: Seconds;
  readonly opening: Seconds;
}

/** Harvests for a moment, and writes a store to `dir`. */
export async function rehearseHarvest(
  subject: Subject,
  hooks: readonly string[],
  origin: StoreOrigin,
  dir: string,
): Promise<HarvestRehearsal> {
  const { model, corpus, split } = subject;
  const source = modelSource(model, corpus, split.train, hooks);
  const count = Math.min(READ_SEQUENCES, source.sequences);
  let rows: ActivationRows | undefined;
  const reading = await meanTime(
    async (run) => {
      const first = (run * count) % Math.max(1, source.sequences - count + 1);
      rows = await source.read(Array.from({ length: count }, (_, i) => first + i));
    },
    { least: 1, most: Math.ceil(source.sequences / count), seconds: READ_SECONDS },
  );
  const some = repeating(source, rows!);
  const { result: _, ...writing } = await timed(() => writeStore(dir, some, origin));
  const { result: store, ...opening } = await timed(() => openStore(dir));
  const share = source.totalRows / store.totalRows;
  return {
    source,
    store,
    harvest: sum(times(reading, source.totalRows / rows!.rows), times(writing, share)),
    opening: times(opening, share),
  };
}

/** The first sequences of `source`, as many as fill two shards; their activations are those of `rows`, over and over. */
function repeating(source: ActivationSource, rows: ActivationRows): ActivationSource {
  const { width } = source;
  const most = (2 * SHARD_BYTES) / (4 * width + 16);
  let [sequences, totalRows] = [0, 0];
  while (sequences < source.sequences && totalRows < most) totalRows += source.rowsOf(sequences++);
  return {
    width,
    sequences,
    totalRows,
    rowsOf: source.rowsOf,
    documentOf: source.documentOf,
    async read(asked) {
      const wanted = Array.from(asked);
      const all = allocateRows(
        wanted.reduce((sum, s) => sum + source.rowsOf(s), 0),
        width,
      );
      for (let at = 0; at < all.rows; at += rows.rows)
        copyRows(rows, 0, Math.min(rows.rows, all.rows - at), all, at, width);
      let at = 0;
      for (const s of wanted) {
        all.sequences.fill(s, at, at + source.rowsOf(s));
        at += source.rowsOf(s);
      }
      return all;
    },
  };
}
