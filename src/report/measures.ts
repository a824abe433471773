/**
 * The table of measures: each number with what it means, its interval, and the same number for each null. It must not
 * know how any number was measured.
 */

import type { Evaluation, Interval, Measured } from '../runs/schema.ts';
import { drawn } from './charts.ts';
import { type Html, html } from './html.ts';
import { bestNull, isComparable, MEASURES, type Measure, MOST_COLUMNS, measureOf } from './measureList.ts';
import { decimal, grouped } from './numbers.ts';
import { intervalStrip } from './plots.ts';
import { reading } from './reading.ts';

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
<thead><tr><th scope="col">Measure</th><th scope="col" class="number">This dictionary</th>${
    nulls.length > MOST_COLUMNS
      ? html`<th scope="col" class="number"><span class="kind">null</span> the best</th>`
      : nulls.map(
          ({ name }) => html`<th scope="col" class="number"><span class="kind">null</span> ${name}</th>`,
        )
  }<th scope="col">Side by side</th></tr></thead>
<tbody>${[...known, ...others].map((name) => row(name, evaluation))}</tbody></table></div>
${nulls.length > MOST_COLUMNS ? everyNull([...known, ...others], evaluation) : undefined}
${nullsNote(nulls)}`;
}

/** A row for each null, where there are too many for columns. */
function everyNull(names: readonly string[], { metrics, nulls }: Evaluation): Html {
  const cells = (of: (measured: Measured) => Interval | undefined) =>
    names.map((name) => {
      const one = of(metrics[name]);
      return html`<td class="number">${one && interval(one, measureOf(name).decimals)}</td>`;
    });
  return html`<h3>Every null</h3>
<div class="wide"><table class="measures">
<thead><tr><th scope="col">Null</th>${names.map((name) => html`<th scope="col" class="number">${measureOf(name).label}</th>`)}</tr></thead>
<tbody><tr><th scope="row">this dictionary</th>${cells((measured) => measured)}</tr>${nulls.map(
    ({ name }) =>
      html`<tr><th scope="row">${name}</th>${cells((measured) => measured.nulls.find((one) => one.name === name))}</tr>`,
  )}</tbody></table></div>`;
}

function row(name: string, evaluation: Evaluation): Html {
  const { metrics, nulls } = evaluation;
  const measured = metrics[name];
  const measure = measureOf(name);
  const present = nulls
    .map((one) => measured.nulls.find((other) => other.name === one.name))
    .filter((one) => one !== undefined);
  const compared = present.map((one) => ({
    ...one,
    comparable: isComparable(measure, one.name, metrics.crossEntropyModel),
  }));
  const many = nulls.length > MOST_COLUMNS;
  const best = many ? bestNull(name, evaluation) : undefined;
  const cells = many ? [best] : nulls.map((one) => present.find((other) => other.name === one.name));
  const beside = many ? cells.filter((one) => one !== undefined) : present;
  const strip = intervalStrip(`${measure.label}: this dictionary above its nulls`, measured, beside);
  const none = many ? 'none is better' : 'no null';
  return html`<tr data-metric="${name}"><th scope="row">${measure.label}<p>${measure.meaning}${preference(measure)}</p></th>
<td class="number own">${interval(measured, measure.decimals)}</td>${cells.map(
    (one) =>
      html`<td class="number">${one ? html`${interval(one, measure.decimals)}${many ? html`<small>${one.name}</small>` : undefined}` : html`<span class="quiet">${none}</span>`}</td>`,
  )}<td class="strip">${strip && drawn(strip)}<p>${measure.reference ? 'for comparison; the dictionary has no part in it' : reading(measured, compared, measure.better)}</p></td></tr>`;
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
