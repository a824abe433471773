/**
 * The tokens on which the projections onto some directions are largest, with the projections at the tokens around, in one pass over
 * the rows. Memory is `directions x kept x window`. It must not know what the directions are.
 */
import type { ActivationRows } from '../../activations/source.ts';
import { AFTER, BEFORE } from '../examples.ts';

const WINDOW = BEFORE + 1 + AFTER;

/** One of a direction's strongest tokens. */
export interface StrongRow {
  /** Of all rows offered, from 0. */
  readonly row: number;
  readonly projection: number;
  /** The first row of the window. */
  readonly from: number;
  /** Projections at the window's rows. */
  readonly window: Float32Array;
}

export class StrongestRows {
  readonly #directions: number;
  readonly #kept: number;
  #rows = 0;
  readonly #filled: Uint32Array;
  /** Of each direction, the least magnitude kept and its slot, once full. */
  readonly #least: Float64Array;
  readonly #leastAt: Uint32Array;
  readonly #magnitude: Float64Array;
  /** row, first row of the window, its length */
  readonly #place: Int32Array;
  readonly #windows: Float32Array;

  constructor(directions: number, kept: number) {
    const slots = directions * kept;
    this.#directions = directions;
    this.#kept = kept;
    this.#filled = new Uint32Array(directions);
    // Even a projection of 0 is better than none.
    this.#least = new Float64Array(directions).fill(-1);
    this.#leastAt = new Uint32Array(directions);
    this.#magnitude = new Float64Array(slots);
    this.#place = new Int32Array(slots * 3);
    this.#windows = new Float32Array(slots * WINDOW);
  }

  /** Rows of whole sequences with their `projections [rows, directions]`. Of equals the earlier stays. */
  offer({ rows, sequences }: Pick<ActivationRows, 'rows' | 'sequences'>, projections: Float32Array): void {
    const [directions, least] = [this.#directions, this.#least];
    for (let r = 0; r < rows; r++) {
      for (let u = 0; u < directions; u++) {
        const magnitude = Math.abs(projections[r * directions + u]);
        if (magnitude > least[u]) this.#take(u, magnitude, r, { rows, sequences }, projections);
      }
    }
    this.#rows += rows;
  }

  /** Of a direction, largest magnitude first. */
  of(direction: number): StrongRow[] {
    const slots = Array.from({ length: this.#filled[direction] }, (_, i) => direction * this.#kept + i);
    const rowOf = (slot: number) => this.#place[3 * slot];
    return slots
      .sort((a, b) => this.#magnitude[b] - this.#magnitude[a] || rowOf(a) - rowOf(b))
      .map((slot) => {
        const [row, from, length] = this.#place.subarray(3 * slot, 3 * slot + 3);
        const window = this.#windows.subarray(slot * WINDOW, slot * WINDOW + length);
        return { row, from, window, projection: window[row - from] };
      });
  }

  #take(
    u: number,
    magnitude: number,
    r: number,
    { rows, sequences }: Pick<ActivationRows, 'rows' | 'sequences'>,
    projections: Float32Array,
  ): void {
    const base = u * this.#kept;
    const full = this.#filled[u] === this.#kept;
    const slot = full ? this.#leastAt[u] : base + this.#filled[u]++;
    this.#magnitude[slot] = magnitude;
    let [from, to] = [r, r];
    while (from > 0 && r - from < BEFORE && sequences[from - 1] === sequences[r]) from--;
    while (to + 1 < rows && to - r < AFTER && sequences[to + 1] === sequences[r]) to++;
    this.#place.set([this.#rows + r, this.#rows + from, to - from + 1], 3 * slot);
    for (let i = from; i <= to; i++)
      this.#windows[slot * WINDOW + i - from] = projections[i * this.#directions + u];
    if (this.#filled[u] < this.#kept) return;
    let at = base;
    for (let s = base + 1; s < base + this.#kept; s++) if (this.#magnitude[s] < this.#magnitude[at]) at = s;
    this.#leastAt[u] = at;
    this.#least[u] = this.#magnitude[at];
  }
}
