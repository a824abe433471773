/**
 * Features of two dimensions: several latents whose decoder rows lie in one plane, all around its origin, and that fire
 * apart. Engels et al. 2024, "Not all language model features are one-dimensionally linear", arXiv 2405.14860, cluster
 * latents and look at what each cluster reconstructs; a plane that is tiled shows in the decoder itself. Curves in more
 * dimensions are not found. It must not know what the circle stands for.
 *
 * Two atoms and their sum lie in a plane too, but within the angle of the atoms: they do not go around.
 */
import { poissonTails } from '../../math/poisson.ts';
import type { Firings } from './cofiring.ts';
import type { TestedEdge } from './graph.ts';
import { type LiveRows, placesOf } from './liveRows.ts';

/** A row lies in a plane where this share of its square does. */
const IN_PLANE = 0.85;
/** Of three, all are neighbours. */
const FEWEST = 4;
/** Rows all around leave no gap of more than this between neighbours, in degrees: 180 leave a half plane empty. */
const LARGEST_GAP = 150;
/** Planes are laid through a row and each of its nearest, of either sign, and of those it fires with most; so many of each. */
const NEAREST = 8;
/** Two rows nearer than this, or opposite, make no plane. */
const PARALLEL = 0.95;
/** Rows that are no neighbours and this far apart, in degrees, do not fire together: at most this share of what chance gives. */
const [FAR, APART] = [120, 0.5];
/**
 * Neighbours do not either, or they do so more than chance has it by this factor, as where two share each point between
 * them. Two independent features with an opposite each go around too, but their neighbours fire as chance has it.
 */
const TOGETHER = 1.5;
/**
 * The activations go around too: of so many equal sectors, so many hold at least this share of the rows on which a member
 * fires. Two atoms and the opposite of their sum go around, and what they fire on does not.
 */
const SECTORS = { all: 8, filled: 6, share: 0.02 };

export interface Circle {
  /** Latents, in the order in which they stand on it. */
  readonly latents: readonly number[];
  readonly edges: readonly TestedEdge[];
}

/** A row of `LiveRows` in a plane: where it points, in degrees, and the share of its square that lies there. */
interface Member {
  readonly row: number;
  readonly angle: number;
  readonly inPlane: number;
}

interface Plane {
  /** The rows of `LiveRows` that it is laid through. */
  readonly through: readonly [number, number];
  readonly members: readonly Member[];
}

/**
 * Circles that share no latent, those of the most latents first. `centred [rows, width]`: activations less b_dec.
 * O(count^2 `NEAREST`).
 */
export function findCircles(live: LiveRows, firings: Firings, centred: Float32Array): Circle[] {
  const planes: Plane[] = [];
  const place = placesOf(live, firings.latents);
  for (let i = 0; i < live.count; i++)
    for (const j of new Set([...nearestRows(live, i), ...partners(live, place, firings, i)])) {
      const members = rowsInPlane(live, i, j);
      if (goesAround(members)) planes.push({ through: [i, j], members });
    }
  planes.sort((a, b) => b.members.length - a.members.length);
  const taken = new Set<number>();
  const circles: Circle[] = [];
  for (const { through, members } of planes) {
    const free = members.filter(({ row }) => !taken.has(row));
    if (!goesAround(free)) continue;
    const far = apartOnCircle(live, firings, free);
    if (!far || !dataGoAround(live, firings, free, through, centred)) continue;
    for (const { row } of free) taken.add(row);
    const latents = free.map(({ row }) => live.latents[row]);
    const pValue = poissonTails(far.expected, far.both).below;
    const edges = free.map(({ inPlane }, m): TestedEdge => {
      const to = latents[(m + 1) % latents.length];
      return { kind: 'manifold', from: latents[m], to, atom: null, strength: inPlane, pValue };
    });
    circles.push({ latents, edges });
  }
  return circles;
}

function nearestRows({ count, cosines }: LiveRows, i: number): number[] {
  return best(new Uint32Array(count).keys(), (j) => {
    const nearness = Math.abs(cosines[i * count + j]);
    return j === i || nearness > PARALLEL ? 0 : nearness;
  });
}

/** The `NEAREST` of some rows that score highest, above 0, the best first. */
function best(rows: Iterable<number>, score: (row: number) => number): number[] {
  const [chosen, scores] = [[] as number[], [] as number[]];
  for (const row of rows) {
    const own = score(row);
    if (own <= (scores[NEAREST - 1] ?? 0)) continue;
    let at = chosen.length;
    while (at > 0 && scores[at - 1] < own) at--;
    chosen.splice(at, 0, row);
    scores.splice(at, 0, own);
    chosen.length = Math.min(chosen.length, NEAREST);
    scores.length = chosen.length;
  }
  return chosen;
}

/** The rows that lie in the plane of rows i and j, by angle from row i. */
function rowsInPlane({ count, cosines }: LiveRows, i: number, j: number): Member[] {
  const cos = cosines[i * count + j];
  const sin = Math.sqrt(1 - cos * cos);
  const members: Member[] = [];
  for (let k = 0; k < count; k++) {
    // In the plane's orthonormal basis, row i and what row j has beside it.
    const along = cosines[i * count + k];
    const across = (cosines[j * count + k] - cos * along) / sin;
    const inPlane = along * along + across * across;
    if (inPlane < IN_PLANE) continue;
    members.push({
      row: k,
      angle: (Math.atan2(across, along) * 180) / Math.PI,
      inPlane: Math.min(1, inPlane),
    });
  }
  return members.sort((a, b) => a.angle - b.angle || a.row - b.row);
}

function goesAround(members: readonly Member[]): boolean {
  if (members.length < FEWEST) return false;
  return members.every(({ angle }, m) => {
    const next = m + 1 < members.length ? members[m + 1].angle : members[0].angle + 360;
    return next - angle <= LARGEST_GAP;
  });
}

/**
 * On how many rows two members fire that are far from each other, and by chance; undefined where that is not much less, or
 * where neighbours fire as chance has it.
 */
function apartOnCircle({ latents }: LiveRows, firings: Firings, members: readonly Member[]) {
  let [both, expected] = [0, 0];
  for (const [m, a] of members.entries())
    for (const [between, b] of members.slice(m + 1).entries()) {
      const apart = Math.abs(a.angle - b.angle);
      const areNeighbours = between === 0 || (m === 0 && between === members.length - 2);
      const isFar = !areNeighbours && Math.min(apart, 360 - apart) >= FAR;
      if (!isFar && !areNeighbours) continue;
      const pair = firings.together(firings.of(latents[a.row]), firings.of(latents[b.row]));
      if (!isFar && pair.both > APART * pair.expected && pair.both < TOGETHER * pair.expected)
        return undefined;
      if (!isFar) continue;
      both += pair.both;
      expected += pair.expected;
    }
  return both <= APART * expected ? { both, expected } : undefined;
}

/** Whether activations on which a member fires lie all around the plane through rows i and j. */
function dataGoAround(
  { latents, count, cosines, unit, width }: LiveRows,
  firings: Firings,
  members: readonly Member[],
  [i, j]: readonly [number, number],
  centred: Float32Array,
): boolean {
  const cos = cosines[i * count + j];
  const sin = Math.sqrt(1 - cos * cos);
  const sectors = new Float64Array(SECTORS.all);
  const rows = new Set(members.flatMap(({ row }) => [...firings.of(latents[row])]));
  for (const row of rows) {
    let [along, other] = [0, 0];
    for (let c = 0, at = row * width; c < width; c++, at++) {
      along += unit[i * width + c] * centred[at];
      other += unit[j * width + c] * centred[at];
    }
    const turn = Math.atan2((other - cos * along) / sin, along) / (2 * Math.PI) + 0.5;
    sectors[Math.min(SECTORS.all - 1, Math.floor(turn * SECTORS.all))]++;
  }
  return sectors.filter((count) => count >= SECTORS.share * rows.size).length >= SECTORS.filled;
}

/** Of the latents that fire with row i's, the rows of those that do so for the largest share of both's firings. */
function partners(
  { latents, count, cosines }: LiveRows,
  place: Int32Array,
  firings: Firings,
  i: number,
): number[] {
  const { others, counts } = firings.with(latents[i]);
  const rows = others.map((latent) => place[latent]).filter((j) => j >= 0);
  return best(rows, (j) =>
    Math.abs(cosines[i * count + j]) > PARALLEL
      ? 0
      : counts[latents[j]] / Math.sqrt(firings.count(latents[j])),
  );
}
