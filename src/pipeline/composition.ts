/** What a run's latents are to each other: on which rows that is asked, and how its directory holds it. It must not know how it is found. */
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import { analyseComposition } from '../evaluation/composition/analyse.ts';
import type { CompositionGraph } from '../evaluation/composition/graph.ts';
import { writeComposition } from '../runs/composition.ts';
import type { Site } from '../runs/site.ts';
import { activationsOf, type Material, type Workbench } from './subject.ts';

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

/** Test rows that are looked at, at most: they are held in memory. */
const MOST_ROWS = 131_072;

/** The graph of `dictionary`'s latents on the first test documents; `wider` has more latents. */
export async function composition(
  { backend, reporter, stopwatch }: Workbench,
  of: { material: Material; site: Site; dictionary: Dictionary; wider: Dictionary; seed: number },
): Promise<CompositionGraph> {
  const { material, site, dictionary, wider, seed } = of;
  return stopwatch.phase(reporter, 'composition', 'steps', async (update) => {
    const source = activationsOf(material, 'test', site.inputs);
    const sequences: number[] = [];
    for (let s = 0, rows = 0; s < source.sequences; s++) {
      rows += source.rowsOf(s);
      if (rows > MOST_ROWS) break;
      sequences.push(s);
    }
    const { activations: x, rows, documents } = await source.read(sequences);
    update(1, 3);
    const codes = await encode(backend, dictionary, x, rows);
    update(2, 3);
    const numbers = new Map([...new Set(documents)].map((document, i) => [document, i]));
    const graph = await analyseComposition({
      backend,
      dictionary,
      x,
      codes,
      documents: Uint32Array.from(documents, (document) => numbers.get(document)!),
      wider,
      seed,
    });
    update(3, 3);
    return graph;
  });
}
