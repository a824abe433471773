/**
 * The inputs of the playground's toy model: features in sets that fire together, or of which one fires at most, or each on its own.
 * Only inputs in which something fires are drawn; that nothing fires is one input, and its weight is known. It must not know what
 * is trained on them.
 */
import type { Random } from '../../../src/math/random.ts';

export interface Firing {
  readonly features: number;
  /** That a feature fires, exact at any correlation. */
  readonly probability: number;
  /**
   * From -1 to 1. Above 0, a set fires as one with this probability, all of it or nothing; below, with the probability `-correlation`
   * at most one of a set fires. Else each is on its own: as `src/toy/sets.ts` has it.
   */
  readonly correlation: number;
  /** Consecutive features make a set; what is left over makes a smaller one. */
  readonly setSize: number;
}

/** Inputs as the trainer takes them: the mean over the distribution is the weighted sum over rows. */
export interface WeightedRows {
  /** `[rows, features]` */
  readonly x: Float32Array;
  /** `[rows]`, summing to 1. */
  readonly weights: Float32Array;
}

/** That two given features of one set both fire; `probability^2` for two of different sets. */
export function bothFire({ probability: p, correlation: c }: Firing): number {
  return c >= 0 ? c * p + (1 - c) * p * p : (1 + c) * p * p;
}

/** That any of the features fires. */
export function anythingFires(firing: Firing): number {
  return 1 - setSizes(firing).reduce((none, size) => none * (1 - setFires(firing, size).any), 1);
}

/**
 * `count` inputs in which something fires, `[count, features]`, amplitudes uniform in (0, 1]: those of the distribution with empty
 * ones left out. The first set that fires is drawn by its place; sets after it are on their own.
 */
export function drawInputs(random: Random, firing: Firing, count: number): Float32Array {
  const x = new Float32Array(count * firing.features);
  const sizes = setSizes(firing);
  const starts = sizes.map((_, s) => sizes.slice(0, s).reduce((sum, size) => sum + size, 0));
  const laws = sizes.map((size) => setFires(firing, size));
  const any = anythingFires(firing);
  for (let row = 0; row < count; row++) {
    const fire = (feature: number) => {
      x[row * firing.features + feature] = 1 - random.uniformFloat32();
    };
    let place = random.uniform() * any;
    let first = 0;
    // `place` is below what this set and those after it have, given that none before fired.
    while (first < sizes.length - 1 && place >= laws[first].any)
      place = (place - laws[first].any) / (1 - laws[first++].any);
    for (let s = first; s < sizes.length; s++) {
      if (s === first || random.uniform() < laws[s].any)
        drawSet(random, firing, laws[s], { start: starts[s], size: sizes[s] }, fire);
    }
  }
  return x;
}

/** A batch: the empty input once, and `rows - 1` in which something fires, each with its weight. */
export function drawBatch(random: Random, firing: Firing, rows: number): WeightedRows {
  const x = new Float32Array(rows * firing.features);
  x.set(drawInputs(random, firing, rows - 1), firing.features);
  const any = anythingFires(firing);
  const weights = new Float32Array(rows).fill(any / (rows - 1));
  weights[0] = 1 - any;
  return { x, weights };
}

function setSizes({ features, correlation, setSize }: Firing): number[] {
  const size = correlation === 0 ? 1 : setSize;
  return Array.from({ length: Math.ceil(features / size) }, (_, s) => Math.min(size, features - s * size));
}

/** That a set of `size` fires at all, by the law that ties it and by that which does not; `any` is of both, by their weights. */
function setFires({ probability: p, correlation: c }: Firing, size: number) {
  const tied = Math.abs(c) * (c < 0 ? size * p : p);
  const apart = (1 - Math.abs(c)) * (1 - (1 - p) ** size);
  return { tied, any: tied + apart };
}

/** Fires the features of a set, given that at least one does. */
function drawSet(
  random: Random,
  { probability, correlation }: Firing,
  law: { tied: number; any: number },
  { start, size }: { start: number; size: number },
  fire: (feature: number) => void,
): void {
  if (random.uniform() * law.any < law.tied) {
    if (correlation < 0) fire(start + random.below(size));
    else for (let i = 0; i < size; i++) fire(start + i);
    return;
  }
  let place = random.uniform() * (1 - (1 - probability) ** size);
  let first = 0;
  while (first < size - 1 && place >= probability) {
    place = (place - probability) / (1 - probability);
    first++;
  }
  for (let i = first; i < size; i++) if (i === first || random.uniform() < probability) fire(start + i);
}
