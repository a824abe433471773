/** Finds points of a plane by place: the nearest to a place, and those in a rectangle. It must not know what the points are. */
import { type Box, isWithin } from '../features/view.ts';
import type { Point } from './camera.ts';

/** Points in a cell, were they spread evenly. */
const IN_A_CELL = 4;

export class PointGrid {
  readonly #x: ArrayLike<number>;
  readonly #y: ArrayLike<number>;
  readonly #side: number;
  readonly #left: number;
  readonly #bottom: number;
  readonly #cell: number;
  /** The points of cell c are `#order[#starts[c] .. #starts[c + 1]]`. */
  readonly #starts: Uint32Array;
  readonly #order: Uint32Array;

  /** Points without a finite place are in no cell. */
  constructor(x: ArrayLike<number>, y: ArrayLike<number>) {
    [this.#x, this.#y] = [x, y];
    const placed = Array.from({ length: x.length }, (_, i) => i).filter(
      (i) => Number.isFinite(x[i]) && Number.isFinite(y[i]),
    );
    const least = (values: ArrayLike<number>) =>
      placed.reduce((low, i) => Math.min(low, values[i]), Number.POSITIVE_INFINITY);
    const most = (values: ArrayLike<number>) =>
      placed.reduce((high, i) => Math.max(high, values[i]), Number.NEGATIVE_INFINITY);
    [this.#left, this.#bottom] = placed.length > 0 ? [least(x), least(y)] : [0, 0];
    const wide = placed.length > 0 ? Math.max(most(x) - this.#left, most(y) - this.#bottom) : 0;
    this.#side = Math.max(1, Math.ceil(Math.sqrt(placed.length / IN_A_CELL)));
    this.#cell = wide / this.#side || 1;
    this.#starts = new Uint32Array(this.#side ** 2 + 1);
    for (const i of placed) this.#starts[this.#cellAt(x[i], y[i]) + 1]++;
    for (let c = 0; c < this.#side ** 2; c++) this.#starts[c + 1] += this.#starts[c];
    const next = this.#starts.slice();
    this.#order = new Uint32Array(placed.length);
    for (const i of placed) this.#order[next[this.#cellAt(x[i], y[i])]++] = i;
  }

  /** The point nearest to a place, the first of equals; -1 where none is within `radius`. */
  nearest({ x, y }: Point, radius: number): number {
    let [best, at] = [radius ** 2, -1];
    for (const i of this.#around({ x0: x - radius, y0: y - radius, x1: x + radius, y1: y + radius })) {
      const distance = (this.#x[i] - x) ** 2 + (this.#y[i] - y) ** 2;
      if (distance > best || (distance === best && at >= 0 && i > at)) continue;
      [best, at] = [distance, i];
    }
    return at;
  }

  /** The points in a rectangle, its edges with it, ascending. */
  within(box: Box): number[] {
    const found: number[] = [];
    for (const i of this.#around(box)) if (isWithin(box, this.#x[i], this.#y[i])) found.push(i);
    return found.sort((a, b) => a - b);
  }

  /** All points of the cells that a rectangle touches. */
  *#around({ x0, y0, x1, y1 }: Box): Generator<number> {
    const [fromX, toX, fromY, toY] = [
      this.#index(x0 - this.#left),
      this.#index(x1 - this.#left),
      this.#index(y0 - this.#bottom),
      this.#index(y1 - this.#bottom),
    ];
    for (let row = fromY; row <= toY; row++) {
      const end = this.#starts[row * this.#side + toX + 1];
      for (let at = this.#starts[row * this.#side + fromX]; at < end; at++) yield this.#order[at];
    }
  }

  #cellAt(x: number, y: number): number {
    return this.#index(y - this.#bottom) * this.#side + this.#index(x - this.#left);
  }

  #index(offset: number): number {
    return Math.max(0, Math.min(this.#side - 1, Math.floor(offset / this.#cell)));
  }
}
