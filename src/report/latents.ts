/**
 * The browsable sample of latents. A latent is a `details` element, so that the page works without a script;
 * each example is one line with the firing token in the same place, as in a concordance. It must not know how
 * the sample was drawn.
 */

import type { LatentEvidence } from '../runs/evidenceSchema.ts';
import type { Example, Feature } from '../runs/schema.ts';
import { type Html, html, trusted } from './html.ts';
import { decimal, grouped, percent } from './numbers.ts';
import type { ShownExamples } from './sample.ts';
import { clipped, groupName, isRightToLeft, shade, spaced } from './tokenText.ts';

/** Tokens shown on each side of the firing one. */
const CONTEXT = 24;

/** One latent: a line to open, and under it its numbers, its tokens and its examples. */
export function latentCard(
  feature: Feature,
  examples: ShownExamples | undefined,
  evidence: LatentEvidence | undefined,
  open: boolean,
): Html {
  const { latent, density, maxActivation } = feature;
  return html`<details class="latent" data-latent="${latent}" data-density="${density}" data-max="${maxActivation}"${open ? html` open` : undefined}>
<summary><span class="id">${latent}</span>${densityBar(density)}<span class="density">${percent(density)}</span><span class="tokens">${tokenList(feature.topTokens, 6)}</span><span class="tokens promoted">${tokenList(feature.promotedTokens, 3)}</span></summary>
<div class="card" id="latent-${latent}">
<div class="side"><dl>
${evidence && html`<dt>true feature?</dt><dd>${evidence.verdict}${Number.isNaN(evidence.probability) ? undefined : html`, probability ${decimal(evidence.probability, 2)}`}</dd>`}
<dt>fires on</dt><dd>${grouped(feature.firings)} tokens</dd>
<dt>density</dt><dd>${percent(density)}</dd>
<dt>strongest activation</dt><dd>${decimal(maxActivation, 2)}</dd>
<dt>mean when active</dt><dd>${decimal(feature.meanActivation, 2)}</dd></dl>
<div class="pair">${logitTable('Promotes', feature.promotedTokens, feature.promotedLogits)}
${logitTable('Suppresses', feature.suppressedTokens, feature.suppressedLogits)}</div></div>
<div class="examples">${examples ? exampleGroups(examples, maxActivation) : html`<p class="quiet">No examples were kept.</p>`}</div>
</div></details>
`;
}

/** The firing frequency on a logarithmic scale from one in a million to always. */
function densityBar(density: number): Html {
  const share = Math.min(1, Math.max(0.02, 1 + Math.log10(density) / 6));
  return html`<svg class="bar" width="48" height="6" aria-hidden="true"><rect class="rail" width="48" height="6" rx="1" /><rect width="${Number((48 * share).toFixed(1))}" height="6" rx="1" /></svg>`;
}

function tokenList(tokens: readonly string[], count: number): Html[] {
  return tokens.slice(0, count).map(chip);
}

function chip(token: string): Html {
  return html`<bdi class="token">${spaced(token)}</bdi>`;
}

function logitTable(title: string, tokens: readonly string[], logits: readonly number[]): Html | undefined {
  if (tokens.length === 0) return undefined;
  return html`<table><caption>${title}</caption><tbody>${tokens
    .slice(0, 8)
    .map(
      (token, i) => html`<tr><td>${chip(token)}</td><td>${decimal(logits[i], 2)}</td></tr>`,
    )}</tbody></table>`;
}

function exampleGroups({ top, quantiles }: ShownExamples, maxActivation: number): Html[] {
  const groups = [{ title: groupName(-1), examples: top }];
  for (let quantile = 9; quantile >= 0; quantile--)
    groups.push({ title: groupName(quantile), examples: quantiles[quantile] });
  const kept = groups.filter(({ examples }) => examples.length > 0);
  const strongest = Math.max(
    maxActivation,
    ...kept.flatMap(({ examples }) => examples.map((one) => one.activation)),
  );
  return kept.map(
    ({ title, examples }) =>
      html`<section><h4>${title}</h4><div>${examples.map((example) => concordanceLine(example, strongest))}</div></section>`,
  );
}

function concordanceLine(example: Example, strongest: number): Html {
  const { tokens, activations, focus } = example;
  const from = Math.max(0, focus - CONTEXT);
  const to = Math.min(tokens.length, focus + 1 + CONTEXT);
  const direction = isRightToLeft(tokens.slice(from, to)) ? html` dir="rtl"` : undefined;
  const shown = (start: number, end: number) => highlighted(tokens, activations, start, end, strongest);
  const place = `document ${example.document}, sequence ${example.sequence}, position ${example.position}`;
  const focused = html`<b class="a${shade(activations[focus], strongest)}">${clipped(tokens[focus])}</b>`;
  return html`<p${direction} title="${place}"><span class="value">${decimal(example.activation, 2)}</span><span class="left"><span>${shown(from, focus)}</span></span><span class="right">${focused}${shown(focus + 1, to)}</span></p>`;
}

/** The texts of some tokens; only those that the latent fires on are elements. */
function highlighted(
  tokens: readonly string[],
  activations: readonly number[],
  start: number,
  end: number,
  strongest: number,
): Html {
  let markup = '';
  let plain = '';
  for (let i = start; i < end; i++) {
    const level = shade(activations[i], strongest);
    if (level === 0) {
      plain += clipped(tokens[i]);
    } else {
      markup +=
        html`${plain}<i class="a${level}" title="${decimal(activations[i], 2)}">${clipped(tokens[i])}</i>`
          .html;
      plain = '';
    }
  }
  return trusted(markup + html`${plain}`.html);
}
