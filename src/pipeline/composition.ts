/** The graph of a run's latents as its directory holds it. It must not know how it was found. */
import type { CompositionGraph } from '../evaluation/composition/graph.ts';
import { writeComposition } from '../runs/composition.ts';

/** Writes composition.json and composition.parquet. `wider`: whether hedging was looked for. */
export async function recordComposition(
  directory: string,
  graph: CompositionGraph,
  { seed, wider }: { seed: number; wider: boolean },
): Promise<void> {
  const { rows, level, counts, tested, nodes, edges, atoms } = graph;
  await writeComposition(
    directory,
    {
      format: 1,
      rows,
      parameters: { level, seed, wider },
      counts,
      tested,
      atoms: [...atoms.latents],
      latents: nodes.map(({ class: name, firings, explained }) => ({
        class: name,
        firings,
        explained: Number.isFinite(explained) ? explained : null,
      })),
    },
    edges.map(({ atom, ...edge }) => ({ ...edge, atom: atom ?? -1 })),
  );
}
