/**
 * Whether a sweep of effective features shows a number of the activations, or only what penalty, width and samples were
 * chosen: a number is identified where it stays the same while these change, and where normals of the same covariance have
 * another. It must not know how points were measured.
 *
 * Trained to its end, the recipe often comes to a basis of two latents, plus and minus, for each dimension, whatever the
 * data; trained shortly or at a small penalty, to all latents there are; both at an explained variance near 1. The value
 * itself tells neither, but the Gaussian null does the same. Of 8 orthogonal features in 8 dimensions it finds 8 where
 * normals have 15; of 30 in 10 dimensions about 20, as normals have.
 */
import type { Interval } from '../../math/bootstrap.ts';
import type { EffectivePoint } from './sweep.ts';

/** Penalties in a row that a plateau needs, widths at each of them, and how far its largest F may be above its least. */
const PENALTIES = 3;
const WIDTHS = 2;
const SPREAD = 1.2;
/** Below this explained variance a dictionary does not speak of the activations. */
const LEAST_EXPLAINED = 0.8;
/** Half of the documents must give this share of F. */
const SETTLED = 0.9;

export type Plateau =
  | {
      readonly kind: 'identified';
      /** The geometric mean of F over the plateau, and its least lower and its largest upper end of an interval. */
      readonly features: { readonly value: number; readonly low: number; readonly high: number };
      /** The same per dimension. */
      readonly perDimension: { readonly value: number; readonly low: number; readonly high: number };
      /** Penalties that belong to it, ascending. */
      readonly penalties: readonly number[];
    }
  | {
      readonly kind: 'not identified';
      /** For people: what each penalty lacks, or that neighbours differ. */
      readonly why: string;
    };

type Name = keyof typeof REASONS;

const REASONS = {
  unexplained: 'dictionaries explain too little',
  unsettled: 'F still grows with the samples',
  gaussian: 'F is that of normals of the same covariance',
  width: 'F depends on the width of the dictionary',
};

/** The widest plateau of a sweep, of equally wide ones that of the smallest penalties. */
export function findPlateau(points: readonly EffectivePoint[]): Plateau {
  const widths = new Set(points.map(({ latents }) => latents)).size;
  const penalties = [...new Set(points.map(({ penalty }) => penalty))].sort((a, b) => a - b);
  const rows = penalties.map((penalty) => {
    const at = points.filter((point) => point.penalty === penalty).sort((a, b) => a.latents - b.latents);
    return { penalty, at, lacks: whatIsLacking(at) };
  });
  if (rows.length < PENALTIES || widths < WIDTHS)
    return {
      kind: 'not identified',
      why: `${rows.length} penalties and ${widths} widths were swept; it takes ${PENALTIES} and ${WIDTHS}`,
    };
  let best: typeof rows = [];
  for (let from = 0; from < rows.length; from++) {
    for (let end = from + PENALTIES; end <= rows.length; end++) {
      const run = rows.slice(from, end);
      const level = spread(run.flatMap(({ at }) => at)) <= SPREAD;
      if (level && run.every(({ lacks }) => lacks.length === 0) && run.length > best.length) best = run;
    }
  }
  if (best.length === 0) return { kind: 'not identified', why: explain(rows) };
  const inside = best.flatMap(({ at }) => at);
  const over = (of: 'features' | 'perDimension') => ({
    value: Math.exp(inside.reduce((sum, point) => sum + Math.log(point[of].value), 0) / inside.length),
    low: Math.min(...inside.map((point) => point[of].low)),
    high: Math.max(...inside.map((point) => point[of].high)),
  });
  return {
    kind: 'identified',
    features: over('features'),
    perDimension: over('perDimension'),
    penalties: best.map(({ penalty }) => penalty),
  };
}

function whatIsLacking(at: readonly EffectivePoint[]): Name[] {
  const lacks = (name: Name, does: boolean) => (does ? [name] : []);
  return [
    ...lacks(
      'unexplained',
      at.some((point) => !(point.explainedVariance.value >= LEAST_EXPLAINED)),
    ),
    ...lacks('unsettled', !at.every(isSettled)),
    ...lacks('gaussian', !at.every(({ features, gaussian }) => isApart(features, gaussian))),
    ...lacks('width', !(spread(at) <= SPREAD)),
  ];
}

function isSettled({ bySamples, features }: EffectivePoint): boolean {
  const groups = bySamples[bySamples.length - 1].groups;
  const half = bySamples.filter((point) => point.groups <= groups / 2).at(-1);
  return half !== undefined && half.value >= SETTLED * features.value;
}

/** Intervals apart by more than what counts as the same within a plateau. Without intervals nothing is known to be apart. */
function isApart(a: Interval, b: Interval): boolean {
  return a.low > SPREAD * b.high || a.high * SPREAD < b.low;
}

/** The largest F over the least. */
function spread(points: readonly EffectivePoint[]): number {
  const values = points.map(({ features }) => features.value);
  return Math.max(...values) / Math.min(...values);
}

function explain(rows: readonly { penalty: number; lacks: readonly Name[] }[]): string {
  const said = rows
    .filter(({ lacks }) => lacks.length > 0)
    .map(({ penalty, lacks }) => `at ${penalty} ${lacks.map((name) => REASONS[name]).join(', ')}`);
  return said.length > 0 ? said.join('; ') : 'F changes with the penalty everywhere';
}
