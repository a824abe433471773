/**
 * Fits the verdict where the truth is known, and tests it on kinds of worlds that it was not fitted on. It must not know what the
 * inputs mean, nor what the worlds are.
 */
import { isotonic } from '../../math/isotonic.ts';
import { fitLogistic } from '../../math/logistic.ts';
import { type Score, scoreOf, type VerdictModel } from './model.ts';

/** One latent of a world with known features. */
export interface KnownLatent {
  /** The kind of its world, and the world itself: kinds are left out together, worlds weigh the same. */
  readonly kind: string;
  readonly world: string;
  readonly inputs: ArrayLike<number>;
  readonly isTrue: boolean;
  /** What a wider dictionary has of it beside its nearest (`remainders`); NaN where that is not known. */
  readonly remainder: number;
  /** Of a dictionary that learned nothing: fitted on, but no part of what true and false latents of trained ones score. */
  readonly ofNull: boolean;
}

/** Pull of the slopes to 0, for worlds that weigh `WORLD_WEIGHT` each. */
const RIDGE = 10;
const WORLD_WEIGHT = 100;
const QUANTILES = 200;
/** The share of true latents that may be given up for their remainders. */
const GIVEN_UP = 0.05;

/**
 * The model of all `latents`. Its calibration and its scores of false and true latents are those of models that did not see
 * the kind in question: what to expect in a world of a new kind. Needs three kinds or more (RangeError).
 */
export function fitVerdict(inputs: readonly string[], latents: readonly KnownLatent[]): VerdictModel {
  const kinds = [...new Set(latents.map(({ kind }) => kind))];
  if (kinds.length < 3)
    throw new RangeError(`a verdict is fitted on 3 kinds of worlds or more, not ${kinds.length}`);
  const weights = worldWeights(latents);
  const scored = kinds.flatMap((kind) => {
    const model = fitScore(
      inputs,
      latents.filter((latent) => latent.kind !== kind),
      weights,
    );
    return latents
      .filter((latent) => latent.kind === kind && !latent.ofNull)
      .map((latent) => ({ latent, score: scoreOf(model, latent.inputs), weight: weights(latent) }));
  });
  scored.sort((a, b) => a.score - b.score);
  const fitted = isotonic(
    scored.map(({ latent }) => Number(latent.isTrue)),
    scored.map(({ weight }) => weight),
  );
  const quantilesOf = (isTrue: boolean) =>
    weightedQuantiles(scored.filter(({ latent }) => latent.isTrue === isTrue));
  return {
    ...fitScore(inputs, latents, weights),
    calibration: corners(
      scored.map(({ score }) => score),
      fitted,
    ),
    falseScores: quantilesOf(false),
    trueScores: quantilesOf(true),
    mostRemainder: mostRemainder(latents, weights),
  };
}

function fitScore(
  inputs: readonly string[],
  latents: readonly KnownLatent[],
  weights: (latent: KnownLatent) => number,
): Score {
  const columns = inputs.length;
  const [means, deviations] = [new Array<number>(columns).fill(0), new Array<number>(columns).fill(0)];
  const total = latents.reduce((sum, latent) => sum + weights(latent), 0);
  for (const latent of latents)
    for (let i = 0; i < columns; i++) means[i] += (weights(latent) * latent.inputs[i]) / total;
  for (const latent of latents)
    for (let i = 0; i < columns; i++)
      deviations[i] += (weights(latent) * (latent.inputs[i] - means[i]) ** 2) / total;
  for (let i = 0; i < columns; i++) deviations[i] = Math.sqrt(deviations[i]) || 1;
  const x = new Float64Array(latents.length * columns);
  latents.forEach(({ inputs: own }, j) => {
    for (let i = 0; i < columns; i++) x[j * columns + i] = (own[i] - means[i]) / deviations[i];
  });
  const { intercept, slopes } = fitLogistic({
    x,
    columns,
    y: latents.map(({ isTrue }) => Number(isTrue)),
    weights: latents.map(weights),
    ridge: RIDGE,
  });
  return { inputs, means, deviations, intercept, slopes: [...slopes] };
}

/** Above the remainders of all but few true latents of trained dictionaries; 1, which none exceeds, where none is known. */
function mostRemainder(latents: readonly KnownLatent[], weights: (latent: KnownLatent) => number): number {
  const known = latents.filter(
    ({ isTrue, ofNull, remainder }) => isTrue && !ofNull && !Number.isNaN(remainder),
  );
  known.sort((a, b) => a.remainder - b.remainder);
  const total = known.reduce((sum, latent) => sum + weights(latent), 0);
  let below = 0;
  for (const latent of known) {
    below += weights(latent);
    if (below >= (1 - GIVEN_UP) * total) return latent.remainder;
  }
  return 1;
}

/** Every world weighs the same, whatever its number of latents. */
function worldWeights(latents: readonly KnownLatent[]): (latent: KnownLatent) => number {
  const counts = new Map<string, number>();
  for (const { world } of latents) counts.set(world, (counts.get(world) ?? 0) + 1);
  return ({ world }) => WORLD_WEIGHT / counts.get(world)!;
}

/** The points at which a step function of rising x changes, so that lines between them follow it. */
function corners(x: readonly number[], y: Float64Array): VerdictModel['calibration'] {
  const [scores, probabilities]: [number[], number[]] = [[], []];
  for (let from = 0; from < x.length; ) {
    let end = from;
    while (end < x.length && y[end] === y[from]) end++;
    // The middle of a step stands for it.
    scores.push((x[from] + x[end - 1]) / 2);
    probabilities.push(y[from]);
    from = end;
  }
  return { scores, probabilities };
}

/** Quantiles at 0, 1 / n, .., 1 of scores in rising order. */
function weightedQuantiles(scored: readonly { score: number; weight: number }[]): number[] {
  const total = scored.reduce((sum, { weight }) => sum + weight, 0);
  const quantiles: number[] = [];
  let [at, below] = [0, 0];
  for (let q = 0; q <= QUANTILES; q++) {
    while (at < scored.length - 1 && below + scored[at].weight < (q / QUANTILES) * total)
      below += scored[at++].weight;
    quantiles.push(scored[at].score);
  }
  return quantiles;
}
