/**
 * What each number of an evaluation means, which way is better, and which null does best at it. It must not know how any
 * number was measured, or how it is shown.
 */
import type { Evaluation, Measured } from '../runs/schema.ts';

export interface Measure {
  readonly label: string;
  readonly meaning: string;
  readonly better?: 'higher' | 'lower';
  readonly decimals: number;
  /** The dictionary plays no part in it: a level to compare other rows with. */
  readonly reference?: true;
  /** A loss, which has another floor in another model, so that it can only be compared within one. */
  readonly withinModel?: true;
}

/** In the order of the table. A metric that is not here comes last, under its own name. */
export const MEASURES: Record<string, Measure> = {
  explainedVariance: {
    label: 'Explained variance',
    meaning:
      'The share of the activations’ variance that the reconstruction keeps. 1 is perfect, 0 no better than always answering the mean.',
    better: 'higher',
    decimals: 3,
  },
  fvu: {
    label: 'FVU',
    meaning: 'Fraction of variance unexplained: what the reconstruction misses, 1 − explained variance.',
    better: 'lower',
    decimals: 3,
  },
  l0: {
    label: 'L0',
    meaning: 'Active latents for each token, on average. Fidelity means little without it.',
    decimals: 1,
  },
  deadFraction: {
    label: 'Dead latents',
    meaning: 'The share of latents that never fired on the test documents.',
    better: 'lower',
    decimals: 3,
  },
  denseFraction: {
    label: 'Dense latents',
    meaning:
      'The share of latents that fire on more than a tenth of tokens. They are seldom about one thing.',
    decimals: 3,
  },
  crossEntropyModel: {
    label: 'Loss, model untouched',
    meaning: 'Next-token loss of the model as it is, in nats for each token. The floor for the rows below.',
    decimals: 3,
    reference: true,
  },
  crossEntropySpliced: {
    label: 'Loss, reconstruction spliced in',
    meaning:
      'The same loss when the model goes on from the dictionary’s reconstruction in place of its own activations.',
    better: 'lower',
    decimals: 3,
    withinModel: true,
  },
  crossEntropyZero: {
    label: 'Loss, zeros spliced in',
    meaning: 'The same loss when the activations are set to zero: what the hook point is worth to the model.',
    decimals: 3,
    reference: true,
  },
  crossEntropyMean: {
    label: 'Loss, mean spliced in',
    meaning: 'The same loss when each activation is set to the mean: a gentler ablation than zeros.',
    decimals: 3,
    reference: true,
  },
  klSpliced: {
    label: 'KL divergence, spliced',
    meaning:
      'How far the predictions move when the reconstruction is spliced in, in nats for each token. 0 is not at all.',
    better: 'lower',
    decimals: 3,
    withinModel: true,
  },
  recoveredZero: {
    label: 'Loss recovered, against zeros',
    meaning:
      'The share of the loss that zeros would cost and the reconstruction saves. 1 is all of it. Zeros cost a great deal, so this is near 1 easily.',
    better: 'higher',
    decimals: 3,
  },
  recoveredMean: {
    label: 'Loss recovered, against the mean',
    meaning: 'The same share with the mean in place of zeros: the harder test of the two.',
    better: 'higher',
    decimals: 3,
  },
};

/** More nulls than this make a table too wide to read: then the best of them stands for all, and each has a row of its own. */
export const MOST_COLUMNS = 2;

/** Of the nulls that `metric` can be compared with, the one that does best; undefined where none is better than another. */
export function bestNull(
  metric: string,
  { metrics }: Pick<Evaluation, 'metrics'>,
): Measured['nulls'][number] | undefined {
  const measure = measureOf(metric);
  const sign = measure.better === 'lower' ? -1 : 1;
  if (measure.better === undefined) return undefined;
  return metrics[metric].nulls
    .filter(({ name, value }) => value !== null && isComparable(measure, name, metrics.crossEntropyModel))
    .reduce<Measured['nulls'][number] | undefined>(
      (best, one) => (best && sign * best.value! >= sign * one.value! ? best : one),
      undefined,
    );
}

export function measureOf(name: string): Measure {
  return Object.hasOwn(MEASURES, name) ? MEASURES[name] : { label: name, meaning: '', decimals: 3 };
}

/** A loss can only be held against that of a null on the same model. */
export function isComparable(
  { withinModel }: Measure,
  nullName: string,
  crossEntropyModel?: Measured,
): boolean {
  return !withinModel || isOfSameModel(nullName, crossEntropyModel);
}

/** A null on another model, such as one with other weights, is told by that model's own loss. */
function isOfSameModel(nullName: string, crossEntropyModel?: Measured): boolean {
  const other = crossEntropyModel?.nulls.find(({ name }) => name === nullName);
  return other === undefined || other.value === crossEntropyModel?.value;
}
