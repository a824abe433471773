/**
 * A value for each pair of n things: a symmetric matrix without its diagonal, as one list. Pair (i, j), j < i, stands at
 * `i (i - 1) / 2 + j`. It must not know what is paired.
 */

/** Where the pair of two different things stands, in either order. */
export function pairAt(i: number, j: number): number {
  return i > j ? (i * (i - 1)) / 2 + j : (j * (j - 1)) / 2 + i;
}

/** The list of `of(i, j)`, j < i, for `n` things: `[n (n - 1) / 2]`. */
export function pairList(n: number, of: (i: number, j: number) => number): Float64Array {
  const list = new Float64Array((n * (n - 1)) / 2);
  for (let i = 1, at = 0; i < n; i++) for (let j = 0; j < i; j++) list[at++] = of(i, j);
  return list;
}

/** The list of some of the things, or of all of them in another order: its thing k is `things[k]` of `list`. */
export function pairsAmong(list: ArrayLike<number>, things: ArrayLike<number>): Float64Array {
  return pairList(things.length, (i, j) => list[pairAt(things[i], things[j])]);
}
