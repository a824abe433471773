/**
 * Standard normals by the million, several times faster than `Random.normal`. It must not know what is drawn for.
 *
 * The ziggurat of Marsaglia and Tsang, "The ziggurat method for generating random variables", Journal of Statistical
 * Software 5, 2000, with the layer and the place in it from different bits, as Doornik, "An improved ziggurat method to
 * generate normal random samples", 2005, asks. Exact but for rounding: places are multiples of 2^-52.
 */

import type { Random } from './random.ts';

// The area under exp(-x^2 / 2), x >= 0, is covered by LAYERS regions of one area. Layer i >= 1 is a rectangle from 0 to
// EDGES[i]; layer 0 is a rectangle to TAIL and all that lies beyond, and EDGES[0] its width, were it a rectangle.
const LAYERS = 128;
const TAIL = 3.442619855899;
const AREA = 9.91256303526217e-3;
const EDGES = new Float64Array(LAYERS + 1);
/** `exp(-EDGES^2 / 2)` */
const HEIGHTS = new Float64Array(LAYERS + 1);
/** Places nearer to the middle than this lie below the curve at any height of their layer. */
const SAFE = new Float64Array(LAYERS);
EDGES[0] = AREA / Math.exp(-0.5 * TAIL * TAIL);
EDGES[1] = TAIL;
for (let i = 2; i < LAYERS; i++) {
  const x = EDGES[i - 1];
  EDGES[i] = Math.sqrt(-2 * Math.log(AREA / x + Math.exp(-0.5 * x * x)));
}
for (let i = 0; i <= LAYERS; i++) HEIGHTS[i] = Math.exp(-0.5 * EDGES[i] * EDGES[i]);
for (let i = 0; i < LAYERS; i++) SAFE[i] = EDGES[i + 1] / EDGES[i];

const WORDS = 1024;

/** Normals from a random stream that is drawn ahead, so it should serve nothing else. */
export class NormalStream {
  readonly #random: Random;
  readonly #words = new Int32Array(WORDS);
  #used = WORDS;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Fills the first `count` of `out` with independent standard normals. */
  fill(out: Float64Array, count = out.length): void {
    const words = this.#words;
    let used = this.#used;
    for (let i = 0; i < count; i++) {
      for (;;) {
        if (used === WORDS) {
          this.#random.fillBits(words);
          used = 0;
        }
        const bits = words[used];
        // 53 bits, 21 of them from beside the layer's: a place in [-1, 1).
        const place = (words[used + 1] * 2 ** 21 + (bits >>> 11)) * 2 ** -52;
        used += 2;
        const layer = bits & (LAYERS - 1);
        const x = place * EDGES[layer];
        if (Math.abs(place) < SAFE[layer]) {
          out[i] = x;
          break;
        }
        if (layer === 0) {
          out[i] = place < 0 ? -this.#beyondTail() : this.#beyondTail();
          break;
        }
        const height = HEIGHTS[layer] + this.#random.uniform() * (HEIGHTS[layer + 1] - HEIGHTS[layer]);
        if (height < Math.exp(-0.5 * x * x)) {
          out[i] = x;
          break;
        }
      }
    }
    this.#used = used;
  }

  /** A normal, given that it is above TAIL: Marsaglia, Technometrics 6, 1964. */
  #beyondTail(): number {
    for (;;) {
      const x = -Math.log(1 - this.#random.uniform()) / TAIL;
      const y = -Math.log(1 - this.#random.uniform());
      if (2 * y > x * x) return TAIL + x;
    }
  }
}
