/** What a latent is to others, as lists by kind of edge and as a small picture of nodes and links. It must not know how it is drawn. */
import { EDGE_KINDS, type EdgeKind } from '../../../src/evaluation/composition/graph.ts';
import { EDGE_MEANINGS } from '../../../src/report/compositionList.ts';
import type { StoredEdge } from '../../../src/runs/compositionSchema.ts';

export interface EdgeGroup {
  readonly kind: EdgeKind;
  /** Whether the latent is where the edges start. */
  readonly outward: boolean;
  readonly meaning: string;
  readonly strength: string;
  /** Strongest first. */
  readonly edges: readonly StoredEdge[];
}

/** The edges of `latent` by kind, those from it first. */
export function edgeGroups(latent: number, edges: readonly StoredEdge[]): EdgeGroup[] {
  return [true, false].flatMap((outward) =>
    EDGE_KINDS.map((kind): EdgeGroup => {
      const meaning = EDGE_MEANINGS[kind];
      return {
        kind,
        outward,
        meaning: outward ? meaning.from : meaning.to,
        strength: meaning.strength,
        edges: edges
          .filter((edge) => edge.kind === kind && (edge.from === latent) === outward)
          .sort((a, b) => b.strength - a.strength),
      };
    }).filter((group) => group.edges.length > 0),
  );
}

/** The other end of an edge: -1 where no latent points the way of the atom. */
export function otherEnd({ outward }: Pick<EdgeGroup, 'outward'>, { from, to }: StoredEdge): number {
  return outward ? to : from;
}

/** Whether the other end is a latent of the same dictionary, with a page of its own. */
export function hasPage({ kind, outward }: EdgeGroup, edge: StoredEdge): boolean {
  return kind !== 'hedges' && otherEnd({ outward }, edge) >= 0;
}

export interface Node {
  readonly edge: StoredEdge;
  readonly group: EdgeGroup;
  readonly x: number;
  readonly y: number;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Where the latent itself stands. */
  readonly centre: { readonly x: number; readonly y: number };
  readonly nodes: readonly Node[];
  /** Edges that are in the lists only. */
  readonly left: number;
}

const WIDTH = 680;
const ROW = 30;
/** Nodes on one side, at most. */
const MOST = 7;

/** The latent in the middle, those that edges come from on the left, those that they go to on the right. */
export function pictureOf(groups: readonly EdgeGroup[]): Picture {
  const side = (outward: boolean) =>
    groups
      .filter((group) => group.outward === outward)
      .flatMap((group) => group.edges.map((edge) => ({ group, edge })));
  const [incoming, outgoing] = [side(false), side(true)];
  const rows = Math.max(1, Math.min(MOST, Math.max(incoming.length, outgoing.length)));
  const height = rows * ROW + 14;
  const placed = (some: { group: EdgeGroup; edge: StoredEdge }[], x: number): Node[] => {
    const shown = some.slice(0, MOST);
    const top = (height - shown.length * ROW) / 2 + ROW / 2;
    return shown.map((one, i) => ({ ...one, x, y: top + i * ROW }));
  };
  const nodes = [...placed(incoming, 10), ...placed(outgoing, WIDTH - 10)];
  return {
    width: WIDTH,
    height,
    centre: { x: WIDTH / 2, y: height / 2 },
    nodes,
    left: incoming.length + outgoing.length - nodes.length,
  };
}
