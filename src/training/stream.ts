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

/** The columns of one hook point, and what training multiplies them by; see `activationScale`. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly scale: number;
  /** Mean activation before scaling, `[end - start]`. */
  readonly mean: ArrayLike<number>;
}

/** Rows of some blocks beside each other `[rows, sum of widths]`, not to be changed, and what is still to be multiplied by. */
export interface BlockRows {
  readonly x: Float32Array;
  readonly scale: number;
}

/** Rows of the source, of which any blocks can be had. Those asked for twice are copied once. */
export interface StreamBatch {
  read(blocks: readonly Block[]): BlockRows;
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
      yield splitBlocks(activations, batch, source.width);
      step++;
    }
  }
}

/** `activations [rows, width]`, from which blocks are read. */
export function splitBlocks(activations: Float32Array, rows: number, width: number): StreamBatch {
  const copies = new Map<string, Float32Array>();
  return {
    read(blocks) {
      const [{ start, end, scale }] = blocks;
      if (blocks.length === 1 && start === 0 && end === width) return { x: activations, scale };
      // Blocks beside each other each have a scale, which is applied here; that of a single one is left to the training.
      const scales = blocks.length === 1 ? [1] : blocks.map((block) => block.scale);
      const key = blocks.map((block, i) => `${block.start}-${block.end}*${scales[i]}`).join();
      const copy = copies.get(key) ?? copyBlocks(activations, rows, width, blocks, scales);
      copies.set(key, copy);
      return { x: copy, scale: blocks.length === 1 ? scale : 1 };
    },
  };
}

function copyBlocks(
  activations: Float32Array,
  rows: number,
  width: number,
  blocks: readonly Block[],
  scales: readonly number[],
): Float32Array {
  const out = new Float32Array(rows * widthOf(blocks));
  let at = 0;
  for (let row = 0; row < rows * width; row += width) {
    for (const [b, { start, end }] of blocks.entries()) {
      for (let i = row + start; i < row + end; i++) out[at++] = scales[b] * activations[i];
    }
  }
  return out;
}

/** Of all blocks together. */
export function widthOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Where each block starts when they stand beside each other, and the end. */
export function boundsOf(blocks: readonly Block[]): Uint32Array {
  const bounds = new Uint32Array(blocks.length + 1);
  blocks.forEach(({ start, end }, b) => {
    bounds[b + 1] = bounds[b] + end - start;
  });
  return bounds;
}

/** The mean of the blocks, as training sees it. */
export function scaledMean(blocks: readonly Block[]): Float64Array {
  return Float64Array.from(blocks.flatMap(({ mean, scale }) => Array.from(mean, (value) => scale * value)));
}
