/**
 * Drawing sparse rows at random, a part of `Backend`: which columns of a row are there, and with what values, as plain data
 * says. `src/toy/` makes the data, and calls a column a feature and its value an amplitude; so do the names here.
 *
 * A row is drawn so. Each root of a forest fires or not; a node that fires draws its feature's amplitude, and then which of
 * its children fire. A feature fires once, whoever calls it first. Last, conjunctions fire where two features do.
 *
 * Rows are drawn in blocks, each from two streams of its own (`math/random.ts`): one of bits, one of normals
 * (`math/ziggurat.ts`). Labels are the same on every backend: all that is decided is decided in float64 by the same
 * operations in the same order. (Where log and exp differ in the last place between two machines, a draw on the very
 * edge, one in 10^15, may fall the other way.) Probabilities are kept to 1 part in 10^12.
 */
import type { SparseRows } from './backend.ts';

/** The feature of a node that has none: it only decides about its children. */
export const NO_FEATURE = 0xffff_ffff;

/** In `positions`: anywhere on the curve. */
export const ANYWHERE = 0xffff_ffff;

/** How an amplitude is drawn from a number in (0, 1] or a standard normal z, again until it is > 0 in float32. */
export const AMPLITUDE_LAWS = {
  /** `shift + spread u` */
  uniform: 0,
  /** `|shift + spread z|` */
  folded: 1,
  /** `shift + spread z` */
  normal: 2,
} as const;

export interface FiringPlan {
  readonly features: number;

  /** Nodes by level, `[nodes]`: the roots first; the children of a node stand after it. */
  readonly roots: number;
  /** Or `NO_FEATURE`. `[nodes]` */
  readonly feature: Uint32Array;
  /** That a root fires; that another node does, where its parent does. `[nodes]` */
  readonly probability: Float64Array;
  /** 1 where the amplitude is multiplied by the parent's over the parent's mean. `[nodes]` */
  readonly scaled: Uint8Array;
  /** Node i has the groups of children `groupOffsets[i] .. groupOffsets[i + 1]`. `[nodes + 1]` */
  readonly groupOffsets: Uint32Array;
  /** Group g is the nodes `memberOffsets[g] .. memberOffsets[g + 1]`; the first is `roots`, the last `nodes`. `[groups + 1]` */
  readonly memberOffsets: Uint32Array;
  /** 1 where at most one of the group fires (probabilities sum to at most 1), 0 where each is on its own. `[groups]` */
  readonly exclusive: Uint8Array;

  /**
   * Classes of roots: `classOffsets[c] .. classOffsets[c + 1]`, m of them. In a row, each is a candidate with probability
   * `bound[c]`, on its own, and fires where its place, uniform in [0, bound), is below its probability. So few are looked at:
   * as many marks as a Poisson variable of mean `-m log(1 - bound)` says fall evenly on them, and who is marked is one.
   * A mark is a number in [0, m): its whole part says which, the rest (times the bound) is the place that the first mark
   * gives. `counts`, from `countOffsets[c]` to `countOffsets[c + 1]`, is the variable's cumulative distribution. Where the
   * bound is 1 all are candidates, and there is no distribution. `[classes + 1]`, `[classes]`, `[classes + 1]`
   */
  readonly classOffsets: Uint32Array;
  readonly bound: Float64Array;
  readonly countOffsets: Uint32Array;
  readonly counts: Float64Array;
  /**
   * Where given, roots are coupled: root i of a row fires with probability `Phi(z)`,
   * `z = (loadings[i] . u - threshold[i]) / residual[i]`, u being `rank` standard normals of the row, which all roots share.
   * A root that was no candidate and whose z exceeds `ceiling[class]`, the bound's quantile, becomes one, with a place in
   * [bound, 1): so bounds need not hold in every row. `loadings [roots, rank]`,
   * `threshold, residual [roots]`, `ceiling [classes]`.
   */
  readonly coupling?: {
    readonly rank: number;
    readonly loadings: Float64Array;
    readonly threshold: Float64Array;
    readonly residual: Float64Array;
    readonly ceiling: Float64Array;
  };

  /** Of `AMPLITUDE_LAWS`; `[features]`, as the next three. */
  readonly law: Uint8Array;
  readonly shift: Float64Array;
  readonly spread: Float64Array;
  /** What scaled children divide the amplitude by. */
  readonly mean: Float64Array;

  /** In this order: `feature` fires where `first` and `second` do, with their product or an amplitude of its own. */
  readonly conjunctions: {
    readonly first: Uint32Array;
    readonly second: Uint32Array;
    readonly feature: Uint32Array;
    /** 1 for the product. */
    readonly product: Uint8Array;
  };

  /**
   * Where given, a feature that fires stands somewhere on its curve: 0 for none, else on how many equally spaced points, or
   * `ANYWHERE`. `[features]`
   */
  readonly positions?: Uint32Array;
}

/** What was drawn. */
export interface Firings {
  /** `[rows, features]` */
  readonly labels: SparseRows;
  /** In [0, 1), for each entry of the labels, 0 where it has none; only where the plan has positions. */
  readonly positions?: Float32Array;
}

export interface FiringOperations {
  /**
   * Rows `skip .. skip + rows - 1` of the blocks that the streams are of, `blockRows` each. `streams [blocks, 2, 4]` are
   * the states in which each block's stream of bits and stream of normals begin.
   */
  drawFirings(op: {
    plan: FiringPlan;
    streams: Int32Array;
    blockRows: number;
    skip: number;
    rows: number;
  }): Promise<Firings>;
}
