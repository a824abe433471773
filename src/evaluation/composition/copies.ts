/**
 * Latents whose decoder rows point the same way: copies, which fire together, and splits, which share one feature's rows
 * out among them. It must not know what the direction stands for.
 */
import type { Firings } from './cofiring.ts';
import type { Findings, TestedEdge } from './graph.ts';
import type { LiveRows } from './liveRows.ts';

/** Rows of at least this cosine point the same way. */
const SAME = 0.9;
/** Copies share this much of their rows, by Jaccard's index; splits at most this share of what chance would give. */
const [TOGETHER, APART] = [0.5, 0.5];

/** An edge for each pair that is one or the other, from the latent that fires less often. */
export function findCopies(live: LiveRows, firings: Firings): { duplicates: Findings; splits: Findings } {
  let tested = 0;
  const edges: TestedEdge[] = [];
  const { latents, count, cosines } = live;
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const cosine = cosines[i * count + j];
      if (cosine < SAME) continue;
      tested++;
      const order = firings.count(latents[i]) > firings.count(latents[j]) ? [j, i] : [i, j];
      const [from, to] = order.map((place) => latents[place]);
      const { both, expected, jaccard, more, fewer } = firings.together(firings.of(from), firings.of(to));
      const edge = { from, to, atom: null, strength: cosine };
      if (jaccard >= TOGETHER) edges.push({ ...edge, kind: 'duplicate', pValue: more });
      else if (both <= APART * expected) edges.push({ ...edge, kind: 'split', pValue: fewer });
    }
  const ofKind = (kind: 'duplicate' | 'split') => ({
    edges: edges.filter((edge) => edge.kind === kind),
    tested,
  });
  return { duplicates: ofKind('duplicate'), splits: ofKind('split') };
}
