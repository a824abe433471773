/**
 * The components of the evidence for each latent, from sums over held-out documents and from directions in other
 * dictionaries. Each says something that a true feature of the data should do and an artifact of one training need not. It
 * must not know how they are weighed against each other: `evaluation/verdict/` does that.
 */
import { studentQuantile } from '../../math/student.ts';
import type { LatentSums } from './firing.ts';
import type { Nearest } from './nearest.ts';

/** Coverage of the intervals. */
export const LEVEL = 0.95;

/** Fewest firings on held-out rows of which anything can be said. */
export const FEWEST_FIRINGS = 20;

/** A component of each latent with its interval; NaN where nothing is known, as of latents that never fire. `[latents]` */
export interface Component {
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * - `density`: share of rows on which the latent fires.
 * - `consensus`: cosine of the nearest decoder row in dictionaries of other seeds, mean over them.
 * - `widths`, `sparsities`: the same in dictionaries of other widths, and of other L0.
 * - `neighbour`: cosine of the nearest other row of its own decoder.
 * - `agreement`: F1 of its firing on held-out rows against that of its nearest latents in the dictionaries of other seeds.
 * - `purity`: of what other latents leave of the rows on which it fires, the share that lies along its decoder row,
 *   `sum (v . d)^2 / sum |v|^2`: 1 where it stands for one direction, less where it stands for several or for noise.
 * - `worth`: of the same, the share that it explains, `sum |v|^2 - |v - a d|^2` over `sum |v|^2`; at most the purity.
 * - `share`: of the variance of all rows, the part that it alone explains.
 * - `evenness`: of its amounts where it fires, the squared mean over the mean square: 1 where they are all alike.
 * - `kurtosis`: excess kurtosis of the rows along its decoder row; 0 of normals, large of what is rare and strong.
 * - `steadiness`: share of its firings that noise of a tenth of the variance leaves on.
 */
export const COMPONENTS = [
  'density',
  'consensus',
  'widths',
  'sparsities',
  'neighbour',
  'agreement',
  'purity',
  'worth',
  'share',
  'evenness',
  'kurtosis',
  'steadiness',
] as const;
export type ComponentName = (typeof COMPONENTS)[number];
export type Components = Readonly<Record<ComponentName, Component>>;

/** For each latent the nearest rows of other decoders, and of its own. */
export interface Neighbours {
  readonly seeds: readonly Nearest[];
  readonly widths: readonly Nearest[];
  readonly sparsities: readonly Nearest[];
  readonly own: Nearest;
}

/**
 * Components from sums whose counterparts are the nearest latents of the dictionaries of other seeds, in the order of
 * `seeds`. Intervals of ratios are linearised over groups of documents (Cochran, "Sampling techniques", 1977, section 6.3),
 * with Student's t; those of cosines are the least and the greatest.
 */
export function componentsOf(sums: LatentSums, { seeds, widths, sparsities, own }: Neighbours): Components {
  const { groups, latents, fires } = sums;
  const perGroup = (values: Float64Array) => (group: number) => values[group];
  const perLatent = (table: Float64Array) => (group: number, latent: number) =>
    table[group * latents + latent];
  const ratio = (over: Sum, under: Sum) => ratios(groups, latents, over, under);
  const agreements = sums.both.map((both, c) =>
    ratio(
      (g, j) => 2 * both[g * latents + j],
      (g, j) => fires[g * latents + j] + sums.counterpart[c][g * latents + j],
    ),
  );
  return {
    density: ratio(perLatent(fires), perGroup(sums.rows)),
    consensus: overDictionaries(seeds, latents),
    widths: overDictionaries(widths, latents),
    sparsities: overDictionaries(sparsities, latents),
    neighbour: overDictionaries([own], latents),
    agreement: meanOf(agreements, latents),
    purity: ratio(perLatent(sums.along), perLatent(sums.whole)),
    worth: worthOf(sums),
    share: ratio(perLatent(sums.gain), perGroup(sums.variance)),
    evenness: evennessOf(sums),
    kurtosis: kurtosisOf(sums),
    steadiness: ratio(perLatent(sums.steady), perLatent(fires)),
  };
}

/** The component `worth` alone. */
export function worthOf({ groups, latents, gain, whole }: LatentSums): Component {
  return ratios(
    groups,
    latents,
    (g, j) => gain[g * latents + j],
    (g, j) => whole[g * latents + j],
  );
}

type Sum = (group: number, latent: number) => number;

function empty(latents: number): Component {
  const [value, low, high] = [0, 0, 0].map(() => new Float64Array(latents).fill(NaN));
  return { value, low, high };
}

/** `R = sum over / sum under`, `var R = G / (G - 1) sum_g (over_g - R under_g)^2 / (sum under)^2`. */
function ratios(groups: number, latents: number, over: Sum, under: Sum): Component {
  const out = empty(latents);
  const t = groups > 1 ? studentQuantile((1 + LEVEL) / 2, groups - 1) : NaN;
  for (let j = 0; j < latents; j++) {
    let [a, b] = [0, 0];
    for (let g = 0; g < groups; g++) {
      a += over(g, j);
      b += under(g, j);
    }
    if (b === 0) continue;
    const value = a / b;
    let squares = 0;
    for (let g = 0; g < groups; g++) squares += (over(g, j) - value * under(g, j)) ** 2;
    const half = (t * Math.sqrt((groups / (groups - 1)) * squares)) / b;
    out.value[j] = value;
    out.low[j] = value - half;
    out.high[j] = value + half;
  }
  return out;
}

/** Excess kurtosis `n sum p^4 / (sum p^2)^2 - 3`, linearised in the two sums. */
function kurtosisOf({ groups, latents, rows, second, fourth }: LatentSums): Component {
  const n = rows.reduce((sum, count) => sum + count, 0);
  const square = new Float64Array(latents);
  for (let g = 0; g < groups; g++) for (let j = 0; j < latents; j++) square[j] += second[g * latents + j];
  const scaled = ratios(
    groups,
    latents,
    (g, j) => (n * fourth[g * latents + j]) / square[j],
    (g, j) => second[g * latents + j],
  );
  for (const values of [scaled.value, scaled.low, scaled.high])
    for (let j = 0; j < latents; j++) values[j] -= 3;
  return scaled;
}

/** `(sum a)^2 / (n sum a^2)`, linearised in the two sums: R varies as `2 sum a / n - R sum a^2 / (sum a)`. */
function evennessOf({ groups, latents, fires, amount, amountSquare }: LatentSums): Component {
  const [n, a] = [new Float64Array(latents), new Float64Array(latents)];
  for (let g = 0; g < groups; g++)
    for (let j = 0; j < latents; j++) {
      n[j] += fires[g * latents + j];
      a[j] += amount[g * latents + j];
    }
  return ratios(
    groups,
    latents,
    (g, j) => (a[j] / n[j]) * amount[g * latents + j],
    (g, j) => amountSquare[g * latents + j],
  );
}

function overDictionaries(nearest: readonly Nearest[], latents: number): Component {
  const out = empty(latents);
  if (nearest.length === 0) return out;
  for (let j = 0; j < latents; j++) {
    const cosines = nearest.map(({ cosine }) => cosine[j]);
    out.value[j] = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
    out.low[j] = Math.min(...cosines);
    out.high[j] = Math.max(...cosines);
  }
  return out;
}

/** The mean of components of the same documents, whose errors are taken to go together. */
function meanOf(components: readonly Component[], latents: number): Component {
  const out = empty(latents);
  for (const key of ['value', 'low', 'high'] as const)
    for (let j = 0; j < latents; j++)
      out[key][j] = components.reduce((sum, component) => sum + component[key][j], 0) / components.length;
  return out;
}
