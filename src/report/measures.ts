/**
 * The table of measures: what each number means, its interval, and the same number for each null. It must not
 * know how any number was measured.
 */

import type { Evaluation, Interval, Measured } from '../runs/schema.ts';
import { intervalStrip } from './charts.ts';
import { type Html, html } from './html.ts';
import { decimal, grouped } from './numbers.ts';

interface Measure {
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
const MEASURES: Record<string, Measure> = {
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

/** The section on measures. */
export function measuresSection(evaluation: Evaluation): Html {
  const { documents, tokens, level, resamples, nulls } = evaluation;
  const known = Object.keys(MEASURES).filter((name) => Object.hasOwn(evaluation.metrics, name));
  const others = Object.keys(evaluation.metrics).filter((name) => !Object.hasOwn(MEASURES, name));
  return html`
<p>Measured on ${grouped(documents)} test documents (${grouped(tokens)} tokens) that training never saw. Below each
value stands its ${Math.round(level * 1000) / 10} % interval: the range over ${grouped(resamples)} resamples of whole
documents, since the tokens of one document are not independent.</p>
<div class="wide"><table class="measures">
<thead><tr><th scope="col">Measure</th><th scope="col" class="number">This dictionary</th>${nulls.map(
    ({ name }) => html`<th scope="col" class="number"><span class="kind">null</span> ${name}</th>`,
  )}<th scope="col">Side by side</th></tr></thead>
<tbody>${[...known, ...others].map((name) => row(name, evaluation))}</tbody></table></div>
${nullsNote(nulls)}`;
}

function row(name: string, { metrics, nulls }: Evaluation): Html {
  const measured = metrics[name];
  const measure: Measure = Object.hasOwn(MEASURES, name)
    ? MEASURES[name]
    : { label: name, meaning: '', decimals: 3 };
  const cells = nulls.map((one) => measured.nulls.find((other) => other.name === one.name));
  const present = cells.filter((one) => one !== undefined);
  const compared = present.map((one) => ({
    ...one,
    comparable: !measure.withinModel || isOfSameModel(one.name, metrics.crossEntropyModel),
  }));
  const strip = intervalStrip(`${measure.label}: this dictionary above its nulls`, measured, present);
  return html`<tr data-metric="${name}"><th scope="row">${measure.label}<p>${measure.meaning}${preference(measure)}</p></th>
<td class="number own">${interval(measured, measure.decimals)}</td>${cells.map(
    (one) =>
      html`<td class="number">${one ? interval(one, measure.decimals) : html`<span class="quiet">no null</span>`}</td>`,
  )}<td class="strip">${strip}<p>${measure.reference ? 'for comparison; the dictionary has no part in it' : reading(measured, compared, measure.better)}</p></td></tr>`;
}

/** A null on another model, such as one with other weights, is told by that model's own loss. */
function isOfSameModel(nullName: string, crossEntropyModel?: Measured): boolean {
  const other = crossEntropyModel?.nulls.find(({ name }) => name === nullName);
  return other === undefined || other.value === crossEntropyModel?.value;
}

function preference({ better }: Measure): string {
  return better === undefined ? '' : ` ${better === 'higher' ? 'Higher' : 'Lower'} is better.`;
}

function interval({ value, low, high }: Interval, decimals: number): Html {
  const ends =
    low === null || high === null
      ? html`not identified`
      : html`${decimal(low, decimals)} to ${decimal(high, decimals)}`;
  return html`${value === null ? '–' : decimal(value, decimals)}<small>${ends}</small>`;
}

/** In words, how a measure stands to its nulls: by whether the intervals overlap, where they can be compared. */
export function reading(
  own: Interval,
  nulls: readonly (Interval & { name: string; comparable?: boolean })[],
  better?: 'higher' | 'lower',
): string {
  const verdicts = nulls.map((one) => ({
    name: one.name,
    verdict: one.comparable === false ? 'not comparable with' : standing(own, one, better),
  }));
  if (verdicts.length === 0) return '';
  if (verdicts.every(({ verdict }) => verdict === verdicts[0].verdict))
    return `${verdicts[0].verdict} ${['the null', 'both nulls'][nulls.length - 1] ?? `all ${nulls.length} nulls`}`;
  return verdicts.map(({ name, verdict }) => `${verdict} ${name}`).join('; ');
}

function standing(own: Interval, other: Interval, better?: 'higher' | 'lower'): string {
  if (own.low === null || own.high === null || other.low === null || other.high === null)
    return 'cannot be told from';
  if (own.low <= other.high && other.low <= own.high) return 'overlaps';
  if (better === undefined) return 'differs from';
  return own.low > other.high === (better === 'higher') ? 'better than' : 'worse than';
}

function nullsNote(nulls: Evaluation['nulls']): Html {
  if (nulls.length === 0)
    return html`<aside><h3>No nulls</h3><p>This run was evaluated without nulls. The numbers above say how well the
dictionary does, and not whether a dictionary without true features would do as well.</p></aside>`;
  return html`<aside><h3>How to read a null</h3>
<p>A null is a dictionary made to the same recipe, except that what could make its features real was taken away. It
shows how far a number gets by itself. What counts is the gap: where the interval of this dictionary overlaps that of a
null, the number is no evidence that the features are real, however good it looks. “Not identified” means that the
documents do not settle the interval. A loss in nats is not comparable with that of a null on another model; the shares
of loss recovered are.</p>
<dl class="nulls">${nulls.map(({ name, description }) => html`<dt>${name}</dt><dd>${description}</dd>`)}</dl></aside>`;
}
