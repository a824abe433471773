/**
 * Byte-pair merging by scores, as SentencePiece does it: of all neighbours whose join is a piece of the
 * vocabulary, the pair with the best score is joined first, the leftmost of equals, until none is left.
 * Kudo and Richardson 2018; Sennrich et al. 2016. This file must not know what the pieces are called.
 */

/** A join of the symbols `[left, middle)` and `[middle, right)` that waits for its turn. */
interface Join {
  readonly score: number;
  readonly left: number;
  readonly middle: number;
  readonly right: number;
}

/**
 * The ends of the symbols that `text` is cut into, ascending, as UTF-16 offsets. `scoreOf` is the score of a
 * piece, undefined where there is no such piece. Time n log n in the length of the text.
 */
export function mergePairs(text: string, scoreOf: (piece: string) => number | undefined): number[] {
  const n = text.length;
  // The symbol that begins at i ends at ends[i]; 0 where none begins. The one that ends at i begins at starts[i].
  const ends = new Uint32Array(n + 1);
  const starts = new Uint32Array(n + 1);
  for (let i = 0; i < n; ) {
    const end = i + (text.codePointAt(i)! > 0xffff ? 2 : 1);
    ends[i] = end;
    starts[end] = i;
    i = end;
  }

  const queue: Join[] = [];
  const propose = (left: number, middle: number): void => {
    const right = ends[middle];
    const score = scoreOf(text.slice(left, right));
    if (score !== undefined) push(queue, { score, left, middle, right });
  };
  for (let middle = ends[0]; middle < n; middle = ends[middle]) propose(starts[middle], middle);

  for (let join = pop(queue); join !== undefined; join = pop(queue)) {
    const { left, middle, right } = join;
    const isStale = ends[left] !== middle || ends[middle] !== right;
    if (isStale) continue;
    ends[left] = right;
    ends[middle] = 0;
    starts[right] = left;
    if (left > 0) propose(starts[left], left);
    if (right < n) propose(left, right);
  }

  const cuts: number[] = [];
  for (let i = 0; i < n; i = ends[i]) cuts.push(ends[i]);
  return cuts;
}

function isBefore(a: Join, b: Join): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left);
}

/** Into a binary heap, the join that comes first on top. */
function push(heap: Join[], join: Join): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(join, heap[parent])) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = join;
}

function pop(heap: Join[]): Join | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
    if (!isBefore(heap[child], last)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}
