/**
 * Batches of rows in random order, from a source larger than memory: sequences are permuted over the whole
 * source, taken in windows, and rows are permuted within a window. The order is a pure function of the source's
 * lengths, the seed and the epoch, so that a run can take up at any batch. It must not know what the rows are.
 *
 * How well rows are mixed depends on the window alone: a batch holds rows of as many sequences as the window
 * has, about `windowRows` / rows in a sequence.
 */

import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';
import { type ActivationRows, type ActivationSource, allocateRows } from './source.ts';

export interface ShuffledBatches extends AsyncIterable<ActivationRows> {
  /** Batches in the epoch, whatever `startBatch` is. */
  readonly batches: number;
  /** Rows at the end of the epoch's order that fill no batch, and are not given out: fewer than `batch`. */
  readonly droppedRows: number;
}

/**
 * An epoch's batches of exactly `batch` rows, from `startBatch` (0). Windows are all of nearly the same size,
 * the whole number of windows being that which brings them nearest to `windowRows`. The next window is read
 * while the present one is used, so two are in memory. InputError where the source has fewer rows than a batch.
 */
export function shuffledBatches(
  source: ActivationSource,
  options: { batch: number; windowRows: number; seed: number; epoch: number; startBatch?: number },
): ShuffledBatches {
  const { batch, windowRows, seed, epoch, startBatch = 0 } = options;
  if (!Number.isInteger(batch) || batch < 1)
    throw new InputError(`batch: ${batch} is not a whole number from 1`);
  if (!(windowRows >= 1)) throw new InputError(`windowRows: ${windowRows} is not a number from 1`);
  if (source.totalRows < batch)
    throw new InputError(`batch: ${batch} rows were asked for; the source has ${source.totalRows} in all`);
  const batches = Math.floor(source.totalRows / batch);
  if (!Number.isInteger(startBatch) || startBatch < 0 || startBatch > batches)
    throw new RangeError(`startBatch ${startBatch}: the epoch has ${batches} batches`);
  const windows = planWindows(source, windowRows, new Random(seed, 'shuffle', `${epoch}`, 'sequences'));
  const readWindow = async (index: number): Promise<Window> => {
    const rows = await source.read(windows[index].sequences);
    const order = new Random(seed, 'shuffle', `${epoch}`, 'window', `${index}`).permutation(rows.rows);
    return { rows, order };
  };
  return {
    batches,
    droppedRows: source.totalRows - batches * batch,
    [Symbol.asyncIterator]: () =>
      generateBatches(windows, readWindow, source.width, batch, startBatch, batches),
  };
}

interface Window {
  readonly rows: ActivationRows;
  readonly order: Uint32Array;
}

interface WindowPlan {
  readonly sequences: Uint32Array;
  /** Where the window starts in the epoch's order of rows. */
  readonly start: number;
  readonly rows: number;
}

/** Cuts the permuted sequences where the rows so far first reach each even share of all rows. */
function planWindows(source: ActivationSource, windowRows: number, random: Random): WindowPlan[] {
  const order = random.permutation(source.sequences);
  const share = source.totalRows / Math.max(1, Math.round(source.totalRows / windowRows));
  const plans: WindowPlan[] = [];
  let [from, start, end] = [0, 0, 0];
  for (let i = 0; i < order.length; i++) {
    end += source.rowsOf(order[i]);
    if (i + 1 < order.length && end < (plans.length + 1) * share) continue;
    plans.push({ sequences: order.slice(from, i + 1), start, rows: end - start });
    [from, start] = [i + 1, end];
  }
  return plans;
}

async function* generateBatches(
  windows: readonly WindowPlan[],
  readWindow: (index: number) => Promise<Window>,
  width: number,
  batch: number,
  startBatch: number,
  batches: number,
): AsyncGenerator<ActivationRows, void, undefined> {
  if (startBatch === batches) return;
  const lastRow = batches * batch - 1;
  let index = windows.findIndex(({ start, rows }) => startBatch * batch < start + rows);
  let within = startBatch * batch - windows[index].start;
  const begin = (next: number): Promise<Window> | undefined => {
    if (next >= windows.length || windows[next].start > lastRow) return undefined;
    const reading = readWindow(next);
    // Seen when it is awaited; a consumer that stops early never awaits it.
    reading.catch(() => undefined);
    return reading;
  };
  let window = await readWindow(index);
  let next = begin(index + 1);
  for (let b = startBatch; b < batches; b++) {
    const result = allocateRows(batch, width);
    for (let filled = 0; filled < batch; ) {
      if (within === window.order.length) {
        window = await next!;
        next = begin(++index + 1);
        within = 0;
      }
      const count = Math.min(batch - filled, window.order.length - within);
      gatherRows(window.rows, window.order.subarray(within, within + count), result, filled, width);
      filled += count;
      within += count;
    }
    yield result;
  }
}

/** Copies the rows of `from` that `order` names to `to`, from row `at` on. */
function gatherRows(
  from: ActivationRows,
  order: Uint32Array,
  to: ActivationRows,
  at: number,
  width: number,
): void {
  for (let place = 0; place < order.length; place++) {
    const [row, target] = [order[place], at + place];
    // A view of a narrow row would take longer to make than the row to copy.
    if (width > 256)
      to.activations.set(from.activations.subarray(row * width, (row + 1) * width), target * width);
    else
      for (let i = 0; i < width; i++) to.activations[target * width + i] = from.activations[row * width + i];
    to.tokens[target] = from.tokens[row];
    to.documents[target] = from.documents[row];
    to.sequences[target] = from.sequences[row];
    to.positions[target] = from.positions[row];
  }
}
