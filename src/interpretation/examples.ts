/**
 * For every latent at once, in one pass over the activations: how often and how strongly it fires, its strongest
 * firings, and a uniform sample of all of them with the text around each. Memory is bounded by
 * `latents x (top + sampled) x window`, whatever the size of the data. It must not know how the dictionary was made.
 *
 * The sample is a bottom-k sketch: each firing gets a pseudo-random priority from its latent and row, and the lowest
 * stay (Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007): uniform without replacement,
 * and the same whatever the order of the data.
 */
import type { ActivationRows, ActivationSource } from '../activations/source.ts';
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';

/** Tokens of text kept before and after the one on which a latent fires. */
export const BEFORE = 12;
export const AFTER = 6;
const WINDOW = BEFORE + 1 + AFTER;

/** One firing with the text around it. */
export interface Firing {
  readonly activation: number;
  readonly document: number;
  readonly sequence: number;
  readonly position: number;
  /** Token ids of the window, in order. */
  readonly tokens: Int32Array;
  /** This latent's activation at each token of the window. */
  readonly activations: Float32Array;
  /** Which token of the window it is. */
  readonly focus: number;
}

export interface LatentExamples {
  readonly firings: number;
  readonly maxActivation: number;
  /** Mean over the tokens on which it fires. */
  readonly meanActivation: number;
  /** The strongest firings, strongest first. */
  readonly top: Firing[];
  /** A uniform sample of all firings, by tenths of the sample: `[0]` the weakest tenth, `[9]` the strongest. */
  readonly quantiles: Firing[][];
}

export interface CollectedExamples {
  /** Tokens read. */
  readonly tokens: number;
  readonly latents: LatentExamples[];
}

/** Reads all of `source`, `sequencesAtOnce` sequences at a time. */
export async function collectExamples(options: {
  backend: Backend;
  dictionary: Dictionary;
  source: ActivationSource;
  top: number;
  sampled: number;
  seed: number;
  sequencesAtOnce?: number;
  onProgress?: (done: number, total: number) => void;
}): Promise<CollectedExamples> {
  const { backend, dictionary, source, top, sampled, seed, sequencesAtOnce = 32 } = options;
  const { latents } = dictionary;
  const statistics = {
    firings: new Float64Array(latents),
    sum: new Float64Array(latents),
    max: new Float32Array(latents),
  };
  const strongest = new Slots(latents, top);
  const sample = new Slots(latents, sampled);
  let tokens = 0;
  for (let first = 0; first < source.sequences; first += sequencesAtOnce) {
    const count = Math.min(sequencesAtOnce, source.sequences - first);
    const rows = await source.read(Array.from({ length: count }, (_, i) => first + i));
    const codes = await encode(backend, dictionary, rows.activations, rows.rows);
    for (let r = 0; r < rows.rows; r++) {
      const place = rowPriority(seed, rows.sequences[r], rows.positions[r]);
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        const latent = codes.indices[e];
        const value = codes.values[e];
        statistics.firings[latent] += 1;
        statistics.sum[latent] += value;
        if (value > statistics.max[latent]) statistics.max[latent] = value;
        strongest.offer(latent, value, value, rows, codes, r);
        sample.offer(latent, -mix(place ^ Math.imul(latent, 0x9e3779b1)), value, rows, codes, r);
      }
    }
    tokens += rows.rows;
    options.onProgress?.(first + count, source.sequences);
  }
  return {
    tokens,
    latents: Array.from({ length: latents }, (_, latent) => ({
      firings: statistics.firings[latent],
      maxActivation: statistics.max[latent],
      meanActivation:
        statistics.firings[latent] > 0 ? statistics.sum[latent] / statistics.firings[latent] : 0,
      top: strongest.take(latent).sort(strongestFirst),
      quantiles: tenths(sample.take(latent).sort(strongestFirst).reverse()),
    })),
  };
}

/** The best `capacity` firings of each latent by a score, with their windows, in flat arrays. */
class Slots {
  private readonly capacity: number;
  private readonly count: Uint32Array;
  /** Of each latent, the lowest score kept and where it stands, once full. */
  private readonly lowest: Float64Array;
  private readonly lowestAt: Uint32Array;
  private readonly score: Float64Array;
  private readonly activation: Float32Array;
  /** document, sequence, position, focus, length of the window */
  private readonly place: Int32Array;
  private readonly tokens: Int32Array;
  private readonly activations: Float32Array;

  constructor(latents: number, capacity: number) {
    const slots = latents * capacity;
    this.capacity = capacity;
    this.count = new Uint32Array(latents);
    this.lowest = new Float64Array(latents).fill(Number.NEGATIVE_INFINITY);
    this.lowestAt = new Uint32Array(latents);
    this.score = new Float64Array(slots);
    this.activation = new Float32Array(slots);
    this.place = new Int32Array(slots * 5);
    this.tokens = new Int32Array(slots * WINDOW);
    this.activations = new Float32Array(slots * WINDOW);
  }

  offer(
    latent: number,
    score: number,
    value: number,
    rows: ActivationRows,
    codes: SparseRows,
    r: number,
  ): void {
    if (!(score > this.lowest[latent]) || this.capacity === 0) return;
    const base = latent * this.capacity;
    const full = this.count[latent] === this.capacity;
    const slot = full ? this.lowestAt[latent] : base + this.count[latent]++;
    this.score[slot] = score;
    this.activation[slot] = value;
    this.capture(slot, latent, rows, codes, r);
    if (this.count[latent] < this.capacity) return;
    let at = base;
    for (let s = base + 1; s < base + this.capacity; s++) if (this.score[s] < this.score[at]) at = s;
    this.lowestAt[latent] = at;
    this.lowest[latent] = this.score[at];
  }

  take(latent: number): Firing[] {
    return Array.from({ length: this.count[latent] }, (_, i) => {
      const slot = latent * this.capacity + i;
      const [document, sequence, position, focus, length] = this.place.subarray(slot * 5, slot * 5 + 5);
      const window = [slot * WINDOW, slot * WINDOW + length] as const;
      return {
        activation: this.activation[slot],
        document,
        sequence,
        position,
        focus,
        tokens: this.tokens.subarray(...window),
        activations: this.activations.subarray(...window),
      };
    });
  }

  private capture(slot: number, latent: number, rows: ActivationRows, codes: SparseRows, r: number): void {
    let from = r;
    let to = r;
    while (from > 0 && r - from < BEFORE && rows.sequences[from - 1] === rows.sequences[r]) from--;
    while (to + 1 < rows.rows && to - r < AFTER && rows.sequences[to + 1] === rows.sequences[r]) to++;
    this.place.set(
      [rows.documents[r], rows.sequences[r], rows.positions[r], r - from, to - from + 1],
      slot * 5,
    );
    for (let i = 0; i <= to - from; i++) {
      this.tokens[slot * WINDOW + i] = rows.tokens[from + i];
      this.activations[slot * WINDOW + i] = activationAt(codes, from + i, latent);
    }
  }
}

/** A latent's activation in a row of codes, by binary search; 0 where it does not fire. */
function activationAt(codes: SparseRows, row: number, latent: number): number {
  let low = codes.offsets[row];
  let high = codes.offsets[row + 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (codes.indices[middle] < latent) low = middle + 1;
    else high = middle;
  }
  return low < codes.offsets[row + 1] && codes.indices[low] === latent ? codes.values[low] : 0;
}

/** Splits firings, weakest first, into ten groups of nearly the same size. */
function tenths(ascending: Firing[]): Firing[][] {
  const groups: Firing[][] = Array.from({ length: 10 }, () => []);
  for (const [i, firing] of ascending.entries()) groups[Math.floor((i * 10) / ascending.length)].push(firing);
  return groups;
}

function strongestFirst(a: Firing, b: Firing): number {
  return b.activation - a.activation || a.sequence - b.sequence || a.position - b.position;
}

function rowPriority(seed: number, sequence: number, position: number): number {
  return mix(mix(Math.imul(seed, 0x27d4eb2f) ^ sequence) ^ Math.imul(position, 0x85ebca6b));
}

/** MurmurHash3's finaliser (Appleby, public domain): 32 well mixed bits. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
