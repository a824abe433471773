/**
 * What shape the stored features of a toy model make: polygons in the plane, and beyond it the shapes of the blocks of features that
 * share dimensions. It must not know how the model was trained.
 */
import { Random } from '../../../src/math/random.ts';
import { featureBlocks } from '../../../src/toy/geometry/blocks.ts';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { type FeatureRows, rowGram } from '../../../src/toy/geometry/rows.ts';

export interface Shape {
  readonly name: string;
  /** Ascending. */
  readonly features: readonly number[];
}

export interface Arrangement {
  readonly shapes: readonly Shape[];
  /** Features whose row is no longer than 1/2. */
  readonly missing: readonly number[];
  /** The shapes in words, most features first: "a pentagon", "2 antipodal pairs and 1 alone". Equal words, equal arrangements. */
  readonly text: string;
}

const POLYGONS = ['triangle', 'square', 'pentagon', 'hexagon', 'heptagon', 'octagon'];
/** A polygon's angles may be off by this share of one, so that a pentagon is no square with a feature more. */
const ANGLE_TOLERANCE = 0.15;
/** Of a shape beyond the plane, cosines may be off by this. */
const COSINE_TOLERANCE = 0.12;

/** The arrangement of the rows W_i that are longer than 1/2. */
export function arrangementOf(rows: FeatureRows): Arrangement {
  const { norms, dimensionality } = featureGeometry(rows);
  const stored = Array.from(norms.keys()).filter((i) => norms[i] > 0.5);
  const missing = Array.from(norms.keys()).filter((i) => norms[i] <= 0.5);
  const shapes = shapesOf(rows, stored, dimensionality);
  return { shapes, missing, text: inWords(shapes) };
}

function shapesOf(
  { values, hidden }: FeatureRows,
  stored: readonly number[],
  dimensionality: Float64Array,
): Shape[] {
  if (stored.length === 0) return [];
  const own = Float64Array.from(
    { length: stored.length * hidden },
    (_, at) => values[stored[Math.floor(at / hidden)] * hidden + (at % hidden)],
  );
  const polygon = hidden === 2 && polygonOf(own);
  if (polygon) return [{ name: polygon, features: stored }];
  const rows = { values: own, features: stored.length, hidden };
  const gram = rowGram(rows);
  return featureBlocks(rows).map((block) => {
    const features = block.features.map((i) => stored[i]);
    // Of features that use the dimensions that they span in full, the shares of a dimension sum to their number.
    const dimensions = Math.round(features.reduce((sum, i) => sum + dimensionality[i], 0));
    return { name: blockName(cosinesAmong(gram, stored.length, block.features), dimensions), features };
  });
}

/** The regular polygon that at least three rows in the plane make, from the angles between neighbours. */
function polygonOf(rows: Float64Array): string | undefined {
  const count = rows.length / 2;
  if (count < 3) return undefined;
  const angles = Array.from({ length: count }, (_, i) => Math.atan2(rows[2 * i + 1], rows[2 * i]));
  angles.sort((a, b) => a - b);
  const turn = (2 * Math.PI) / count;
  const even = angles.every((angle, i) => {
    const gap = i === 0 ? angle - angles[count - 1] + 2 * Math.PI : angle - angles[i - 1];
    return Math.abs(gap - turn) <= ANGLE_TOLERANCE * turn;
  });
  return even ? (POLYGONS[count - 3] ?? `regular polygon of ${count}`) : undefined;
}

/** Cosines of each feature of a block with the others, descending: `[features][features - 1]`. */
function cosinesAmong(gram: Float64Array, n: number, features: readonly number[]): number[][] {
  return features.map((i) =>
    features
      .filter((j) => j !== i)
      .map((j) => gram[i * n + j] / Math.sqrt(gram[i * n + i] * gram[j * n + j]))
      .sort((a, b) => b - a),
  );
}

const circle = (k: number) =>
  Array.from({ length: k - 1 }, (_, j) => Math.cos((2 * Math.PI * (j + 1)) / k)).sort((a, b) => b - a);
const simplex = (k: number) => new Array<number>(k - 1).fill(-1 / (k - 1));
/** Eight unit vectors at heights +-1/sqrt(3), each square turned by 45 degrees against the other. */
const ANTIPRISM = [1 / 3, 1 / 3, -1 / 3, 0.138, 0.138, -0.805, -0.805].sort((a, b) => b - a);

/** Shapes by the cosines of each vertex with the others. */
const BLOCKS: readonly { name: string; cosines: readonly number[] }[] = [
  { name: 'antipodal pair', cosines: [-1] },
  { name: 'triangle', cosines: simplex(3) },
  { name: 'pentagon', cosines: circle(5) },
  { name: 'hexagon', cosines: circle(6) },
  { name: 'tetrahedron', cosines: simplex(4) },
  { name: 'square antiprism', cosines: ANTIPRISM },
  { name: 'simplex of 5', cosines: simplex(5) },
  { name: 'simplex of 6', cosines: simplex(6) },
];

function blockName(cosines: readonly number[][], dimensions: number): string {
  const count = cosines.length;
  if (count === 1) return 'alone';
  const named = BLOCKS.find(
    (shape) =>
      shape.cosines.length === count - 1 &&
      cosines.every((own) =>
        own.every((cosine, j) => Math.abs(cosine - shape.cosines[j]) <= COSINE_TOLERANCE),
      ),
  );
  if (named) return named.name;
  if (dimensions <= 1) return `${count} on one line`;
  return `${count} features in ${dimensions} dimensions`;
}

function inWords(shapes: readonly Shape[]): string {
  if (shapes.length === 0) return 'nothing stored';
  const counts = new Map<string, number>();
  for (const { name } of shapes) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts].map(([name, count]) => {
    if (name === 'alone') return `${count} alone`;
    if (/^\d/.test(name)) return count === 1 ? name : `${count} times ${name}`;
    if (count === 1) return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
    return name.startsWith('simplex') || name.startsWith('regular')
      ? `${count} times ${name}`
      : `${count} ${name === 'hexagon' ? 'hexagons' : `${name}s`}`;
  });
  return parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}

/**
 * The null of an arrangement: the share of `draws` in which as many random directions make the same. Each direction is equally
 * likely. O(draws n^3).
 */
export function chanceOf(
  { text, shapes }: Arrangement,
  { features, hidden }: { features: number; hidden: number },
  { seed, draws }: { seed: number; draws: number },
): number {
  const stored = shapes.reduce((sum, shape) => sum + shape.features.length, 0);
  const random = new Random(seed, 'playground', 'random arrangements');
  let same = 0;
  const values = new Float64Array(features * hidden);
  for (let draw = 0; draw < draws; draw++) {
    random.fillNormal(values.subarray(0, stored * hidden), 1);
    for (let i = 0; i < stored; i++) {
      const row = values.subarray(i * hidden, (i + 1) * hidden);
      const norm = Math.hypot(...row);
      row.forEach((value, c) => {
        row[c] = value / norm;
      });
    }
    if (arrangementOf({ values, features, hidden }).text === text) same++;
  }
  return same / draws;
}
