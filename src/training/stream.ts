/**
 * One pass over activations that several trainings read: batches in a shuffled order that depends on none of them, and of
 * each batch the columns that each reads. It must not know what is trained.
 */
import { shuffledBatches } from '../activations/shuffle.ts';
import type { ActivationSource } from '../activations/source.ts';
import { InputError } from '../formats/errors.ts';

export interface Stream {
  /** Activations of one hook point, or of several side by side; see `besideEachOther`. */
  readonly source: ActivationSource;
  readonly batch: number;
  readonly windowRows: number;
  /** Of the order. */
  readonly shuffleSeed: number;
}

/** A run of columns of the source: one hook point, or several. */
export interface Columns {
  readonly start: number;
  readonly end: number;
}

/** A batch, of which any columns can be had. Those asked for twice are copied once. */
export interface StreamBatch {
  /** `[batch, end - start]`, not to be changed. */
  columns(which: Columns): Float32Array;
}

/** Batches from step `start` (0 is the first) on, for ever: the source is read again, in another order, when it is through. */
export async function* streamBatches(
  { source, batch, windowRows, shuffleSeed }: Stream,
  start: number,
): AsyncGenerator<StreamBatch, never, undefined> {
  const perEpoch = Math.floor(source.totalRows / batch);
  if (perEpoch === 0) {
    throw new InputError(
      `the source has ${source.totalRows} activations, less than one batch of ${batch}: ` +
        'harvest more tokens or choose a smaller training.batch',
    );
  }
  for (let step = start; ; ) {
    const [epoch, startBatch] = [Math.floor(step / perEpoch), step % perEpoch];
    const batches = shuffledBatches(source, { batch, windowRows, seed: shuffleSeed, epoch, startBatch });
    for await (const { activations } of batches) {
      yield splitColumns(activations, batch, source.width);
      step++;
    }
  }
}

function splitColumns(activations: Float32Array, rows: number, width: number): StreamBatch {
  const copies = new Map<string, Float32Array>();
  return {
    columns({ start, end }) {
      if (start === 0 && end === width) return activations;
      const key = `${start}-${end}`;
      let copy = copies.get(key);
      if (copy === undefined) {
        copy = new Float32Array(rows * (end - start));
        for (let r = 0; r < rows; r++)
          copy.set(activations.subarray(r * width + start, r * width + end), r * (end - start));
        copies.set(key, copy);
      }
      return copy;
    },
  };
}
