/** The section on which latents are true features: the dictionary beside its nulls, under one judgement. It must not know how latents are judged. */

import type { EvidenceSummary, LatentEvidence } from '../runs/evidenceSchema.ts';
import type { Interval } from '../runs/schema.ts';
import { type Html, html } from './html.ts';
import { decimal, grouped, percent } from './numbers.ts';

const BINS = 20;

export function evidenceSection(
  { level, dictionaries }: EvidenceSummary,
  latents: readonly LatentEvidence[],
): Html {
  const share = ({ value, low, high }: Interval) =>
    value === null
      ? html`not identified`
      : html`${percent(value)}<small>${low === null || high === null ? 'interval not identified' : `${percent(low)} to ${percent(high)}`}</small>`;
  return html`<p>A latent is <b>supported</b> as a true feature of the data where what speaks for it (dictionaries of other seeds, widths
and sparsities have it too, they fire on the same held-out tokens, it stands for one direction, and so on) would be rare in a latent
that merges features or stands for none, as far as worlds with known features tell; of the supported, about ${percent(level)} may be
false. The probability is the mean over the latents judged. What a null has, this dictionary may have for no better
reason: only the gaps count.</p>
<div class="wide"><table class="measures">
<thead><tr><th scope="col">Dictionary</th><th scope="col" class="number">Latents</th><th scope="col" class="number">Judged</th><th scope="col" class="number">Supported</th><th scope="col" class="number">Undecided</th><th scope="col" class="number">Unsupported</th><th scope="col" class="number">Share supported</th><th scope="col" class="number">Gap</th><th scope="col" class="number">Probability</th><th scope="col" class="number">Gap</th></tr></thead>
<tbody>${dictionaries.map(
    (one, i) =>
      html`<tr><th scope="row">${i === 0 ? 'this dictionary' : html`<span class="kind">null</span> ${one.name}`}</th>${[
        one.latents,
        one.judged,
        one.supported,
        one.undecided,
        one.unsupported,
      ].map(
        (count) => html`<td class="number">${grouped(count)}</td>`,
      )}<td class="number">${share(one.supportedShare)}</td><td class="number">${one.gap && share(one.gap.supportedShare)}</td><td class="number">${share(one.probability)}</td><td class="number">${one.gap && share(one.gap.probability)}</td></tr>`,
  )}</tbody></table></div>
<figure><figcaption>Probability that a latent is a true feature, and how many latents have it</figcaption>${histogram(latents)}</figure>`;
}

function histogram(latents: readonly LatentEvidence[]): Html {
  const counts = new Array<number>(BINS).fill(0);
  for (const { probability } of latents)
    if (!Number.isNaN(probability)) counts[Math.min(BINS - 1, Math.floor(probability * BINS))]++;
  const most = Math.max(1, ...counts);
  const [width, height, gap] = [640, 120, 2];
  const bar = width / BINS;
  return html`<svg viewBox="0 0 ${width} ${height + 20}" role="img" aria-label="Histogram of probabilities">${counts.map(
    (count, i) =>
      html`<rect x="${i * bar + gap / 2}" y="${decimal(height - (height * count) / most, 1)}" width="${bar - gap}" height="${decimal((height * count) / most, 1)}"><title>${grouped(count)} latents, ${decimal(i / BINS, 2)} to ${decimal((i + 1) / BINS, 2)}</title></rect>`,
  )}${[0, 0.5, 1].map(
    (at, i) =>
      html`<text x="${at * width}" y="${height + 15}" text-anchor="${['start', 'middle', 'end'][i]}">${at}</text>`,
  )}</svg>`;
}
