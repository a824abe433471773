/**
 * How often two latents fire together, against firings that are shuffled within each document: what two latents share
 * because a document is about both is no evidence of anything between them. It must not know what a latent is.
 *
 * With the rows of one shuffled within each document, the rows that both fire on are on average
 * `sum_d a_d b_d / n_d` (firings of each, and rows, of document d), and less spread than a Poisson variable of that mean, for
 * they are a sum of hypergeometric ones (Hoeffding 1963, theorem 4): its tails are not too small.
 */
import type { SparseRows } from '../../kernels/backend.ts';
import { poissonTails } from '../../math/poisson.ts';
import { type RowsByColumn, rowsByColumn } from '../rowsByColumn.ts';

/** Rows of a latent from which it is read what fires with it. */
const SAMPLE = 256;

export interface CoFiring {
  readonly both: number;
  readonly expected: number;
  /** `both / |either|` */
  readonly jaccard: number;
  /** Of so many together by chance, or more; and of so few, or fewer. */
  readonly more: number;
  readonly fewer: number;
}

/** The rows that each latent fires on. */
export class Firings {
  readonly rows: number;
  readonly latents: number;
  readonly #codes: SparseRows;
  readonly #firings: RowsByColumn;
  readonly #documents: Uint32Array;
  readonly #sizes: Float64Array;
  readonly #ofA: Float64Array;
  readonly #together: Uint32Array;

  /** `documents [rows]` numbers the document of each row; without it, all rows are of one. RangeError where lengths do not fit. */
  constructor(codes: SparseRows, latents: number, documents: Uint32Array = new Uint32Array(codes.rows)) {
    if (documents.length !== codes.rows)
      throw new RangeError(`documents: ${documents.length} were given for ${codes.rows} rows`);
    this.rows = codes.rows;
    this.#codes = codes;
    this.latents = latents;
    this.#firings = rowsByColumn(codes, latents);
    const documentCount = documents.reduce((most, document) => Math.max(most, document + 1), 0);
    this.#documents = documents;
    this.#sizes = new Float64Array(documentCount);
    for (const document of documents) this.#sizes[document]++;
    this.#ofA = new Float64Array(documentCount);
    this.#together = new Uint32Array(latents);
  }

  /** The rows that `latent` fires on, ascending. */
  of(latent: number): Uint32Array {
    const { offsets, rows } = this.#firings;
    return rows.subarray(offsets[latent], offsets[latent + 1]);
  }

  count(latent: number): number {
    const { offsets } = this.#firings;
    return offsets[latent + 1] - offsets[latent];
  }

  /**
   * On how many rows each latent fires that fires with `latent`, by an even sample of at most `SAMPLE` of its rows. `counts
   * [latents]` are good until the next call; `others` are those that are not 0, in the order in which they are met; `sampled` is
   * the size of the sample.
   */
  with(latent: number): { others: readonly number[]; counts: Uint32Array; sampled: number } {
    const { offsets, indices, values } = this.#codes;
    const rows = this.of(latent);
    const sample = Math.min(SAMPLE, rows.length);
    const others: number[] = [];
    this.#together.fill(0);
    for (let s = 0; s < sample; s++) {
      const row = rows[Math.floor((s * rows.length) / sample)];
      for (let e = offsets[row]; e < offsets[row + 1]; e++) {
        if (values[e] === 0 || indices[e] === latent) continue;
        if (this.#together[indices[e]]++ === 0) others.push(indices[e]);
      }
    }
    return { others, counts: this.#together, sampled: sample };
  }

  /** Of two lists of rows, ascending. O(their lengths). */
  together(a: Uint32Array, b: Uint32Array): CoFiring {
    for (const row of a) this.#ofA[this.#documents[row]]++;
    let expected = 0;
    for (const row of b) expected += this.#ofA[this.#documents[row]] / this.#sizes[this.#documents[row]];
    for (const row of a) this.#ofA[this.#documents[row]] = 0;
    const both = countCommon(a, b);
    const tails = poissonTails(expected, both);
    const either = a.length + b.length - both;
    return { both, expected, jaccard: either > 0 ? both / either : 0, more: tails.above, fewer: tails.below };
  }
}

/** The length of `common(a, b)`, without the list. */
function countCommon(a: Uint32Array, b: Uint32Array): number {
  let [count, i, j] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const difference = a[i] - b[j];
    if (difference <= 0) i++;
    if (difference >= 0) j++;
    if (difference === 0) count++;
  }
  return count;
}

/** What two ascending lists share. */
export function common(a: Uint32Array, b: Uint32Array): Uint32Array {
  const shared: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) shared.push(a[i]);
    const [atA, atB] = [a[i], b[j]];
    if (atA <= atB) i++;
    if (atB <= atA) j++;
  }
  return Uint32Array.from(shared);
}
