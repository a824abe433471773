/**
 * From sums over documents to the numbers that are reported, each with a 95 % interval. It knows neither models nor
 * files.
 *
 * Intervals are percentile intervals of a bootstrap over documents (`math/bootstrap.ts`), except that of the dead
 * fraction: a resample leaves a third of the documents out, in which some rare latents fire, so its dead fraction is
 * always too large. That one is first-order jackknife over documents, as for the number of species that a sample
 * did not meet (Heltshe and Forrester, "Estimating species richness using the jackknife procedure", Biometrics 39,
 * 1983).
 */
import { clusterBootstrap, type Interval } from '../math/bootstrap.ts';
import { firingFrequency, type GroupSums, type Variant } from './sums.ts';

/** Latents that fire on more than this share of tokens are dense. */
export const DENSE = 0.1;

/** Edges of the density histogram: log10 of the firing frequency, quarters of a decade. */
export const DENSITY_EDGES = Array.from({ length: 25 }, (_, i) => -6 + i / 4);

export type MetricName =
  | 'explainedVariance'
  | 'fvu'
  | 'l0'
  | 'deadFraction'
  | 'denseFraction'
  | 'crossEntropyModel'
  | 'crossEntropySpliced'
  | 'crossEntropyZero'
  | 'crossEntropyMean'
  | 'klSpliced'
  | 'recoveredZero'
  | 'recoveredMean';

/** All metrics of one dictionary. `draws` are the resamples that all metrics and all dictionaries share. */
export function measure(sums: GroupSums, draws: readonly Uint16Array[]): Record<MetricName, Interval> {
  const { groups } = sums;
  const bootstrap = (statistic: (weights: Float64Array) => number) =>
    clusterBootstrap({ clusters: groups, statistic, draws });
  const ratio = (over: Float64Array, under: Float64Array) => bootstrap((w) => dot(w, over) / dot(w, under));
  const unexplained = bootstrap((w) => dot(w, sums.squaredError) / variance(sums, w));
  const loss = (variant: Variant) => ratio(sums.crossEntropy[variant], sums.predictions);
  const { model, spliced, zero, mean } = sums.crossEntropy;
  const recovered = (ablated: Float64Array) =>
    bootstrap((w) => (dot(w, ablated) - dot(w, spliced)) / (dot(w, ablated) - dot(w, model)));
  const gap = (ablated: Float64Array) => bootstrap((w) => dot(w, ablated) - dot(w, model));
  // A share of a gap that may be none says nothing: the interval of the gap must leave zero out.
  const share = (ablated: Float64Array) => (gap(ablated).low > 0 ? recovered(ablated) : unidentified(groups));
  return {
    explainedVariance: {
      value: 1 - unexplained.value,
      low: 1 - unexplained.high,
      high: 1 - unexplained.low,
      n: groups,
    },
    fvu: unexplained,
    l0: ratio(firingsOfGroups(sums), sums.tokens),
    deadFraction: deadFraction(sums),
    denseFraction: denseFraction(sums, bootstrap),
    crossEntropyModel: loss('model'),
    crossEntropySpliced: loss('spliced'),
    crossEntropyZero: loss('zero'),
    crossEntropyMean: loss('mean'),
    klSpliced: ratio(sums.kl, sums.predictions),
    recoveredZero: share(zero),
    recoveredMean: share(mean),
  };
}

/** Latents by log10 of their firing frequency, in `DENSITY_EDGES`; the silent ones never fired. */
export function densityHistogram(sums: GroupSums): { counts: number[]; silent: number } {
  const counts = new Array<number>(DENSITY_EDGES.length - 1).fill(0);
  let silent = 0;
  for (const frequency of firingFrequency(sums)) {
    if (frequency === 0) {
      silent++;
      continue;
    }
    const bin = Math.floor((Math.log10(frequency) - DENSITY_EDGES[0]) * 4);
    counts[Math.min(Math.max(bin, 0), counts.length - 1)]++;
  }
  return { counts, silent };
}

function unidentified(n: number): Interval {
  return { value: Number.NaN, low: Number.NaN, high: Number.NaN, n };
}

/** `sum |x - mean|^2` of the weighted documents, about their own mean. */
function variance({ width, total, tokens, squaredNorm }: GroupSums, weights: Float64Array): number {
  let squareOfSum = 0;
  for (let i = 0; i < width; i++) {
    let sum = 0;
    for (let g = 0; g < weights.length; g++) sum += weights[g] * total[g * width + i];
    squareOfSum += sum * sum;
  }
  return dot(weights, squaredNorm) - squareOfSum / dot(weights, tokens);
}

function firingsOfGroups({ groups, latents, firings }: GroupSums): Float64Array {
  return Float64Array.from({ length: groups }, (_, g) => {
    let sum = 0;
    for (let j = 0; j < latents; j++) sum += firings[g * latents + j];
    return sum;
  });
}

/** Latents that never fire. Leaving group g out makes dead those that fire nowhere else. */
function deadFraction({ groups, latents, firings }: GroupSums): Interval {
  const onlyIn = new Int32Array(latents).fill(-1);
  for (let g = 0; g < groups; g++) {
    for (let j = 0; j < latents; j++) {
      if (firings[g * latents + j] > 0) onlyIn[j] = onlyIn[j] === -1 ? g : -2;
    }
  }
  const dead = onlyIn.filter((g) => g === -1).length;
  const unique = new Float64Array(groups);
  for (const g of onlyIn) if (g >= 0) unique[g] += 1;
  const mean = unique.reduce((a, b) => a + b, 0) / groups;
  const spread = unique.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(((groups - 1) / groups) * spread);
  const value = dead / latents;
  if (groups < 2) return { ...unidentified(groups), value };
  const reach = (1.96 * error) / latents;
  return { value, low: Math.max(0, value - reach), high: Math.min(1, value + reach), n: groups };
}

function denseFraction(
  sums: GroupSums,
  bootstrap: (statistic: (weights: Float64Array) => number) => Interval,
): Interval {
  const { latents, firings, tokens } = sums;
  // Resampling documents does not carry a latent across the line from further off than this.
  const close: number[] = [];
  firingFrequency(sums).forEach((frequency, j) => {
    if (frequency > DENSE / 10) close.push(j);
  });
  return bootstrap((weights) => {
    const bound = DENSE * dot(weights, tokens);
    let dense = 0;
    for (const j of close) {
      let fired = 0;
      for (let g = 0; g < weights.length; g++) fired += weights[g] * firings[g * latents + j];
      if (fired > bound) dense++;
    }
    return dense / latents;
  });
}

function dot(weights: Float64Array, values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * values[i];
  return sum;
}
