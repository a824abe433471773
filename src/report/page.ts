/**
 * The report as one HTML page: a head that lets nothing in from outside, and a section for each part of the run.
 * It must not know where the run was read from or where the page goes.
 */

import { createHash } from 'node:crypto';
import { BASIC_NULLS } from '../evaluation/nulls/index.ts';
import type { EvidenceSummary, LatentEvidence } from '../runs/evidenceSchema.ts';
import type { Density, Evaluation, Example, Feature, MetricsLine, Run } from '../runs/schema.ts';
import { drawn, legend } from './charts.ts';
import { CLIENT } from './client.ts';
import { evidenceSection } from './evidence.ts';
import { factsSection, subtitle } from './facts.ts';
import { type Html, html, trusted } from './html.ts';
import { latentCard } from './latents.ts';
import { MOST_COLUMNS } from './measureList.ts';
import { measuresSection } from './measures.ts';
import { grouped, percent } from './numbers.ts';
import { densityHistogram, fvuCurve, trainingCurve } from './plots.ts';
import { DENSE_FREQUENCY, examplesByLatent, sampleLatents } from './sample.ts';
import { STYLE } from './style.ts';

/** All that a page shows; parts that a run has not come to are undefined. */
export interface PageContent {
  readonly run: Run;
  readonly metrics: readonly MetricsLine[];
  readonly evaluation?: Evaluation;
  readonly evidence?: EvidenceSummary;
  readonly latentEvidence?: readonly LatentEvidence[];
  readonly features?: readonly Feature[];
  /** Those of the latents in `sampleLatents(features, SAMPLE_SIZE)`; others are not looked at. */
  readonly examples?: readonly Example[];
}

/** Latents shown on the page. */
export const SAMPLE_SIZE = 200;
/** Examples shown of each latent: the strongest, and of each tenth of its activations. */
const SHOWN = { top: 5, each: 2 };

/** The whole page. The same content gives the same text. */
export function renderPage(content: PageContent): string {
  const { run } = content;
  const sections = [
    { id: 'run', title: 'What was run', body: factsSection(run) },
    { id: 'measures', title: 'Measures', body: content.evaluation && measuresSection(content.evaluation) },
    ...(content.evidence
      ? [
          {
            id: 'evidence',
            title: 'Evidence',
            body: evidenceSection(content.evidence, content.latentEvidence ?? []),
          },
        ]
      : []),
    { id: 'training', title: 'Training', body: trainingSection(content.metrics) },
    { id: 'density', title: 'Density', body: content.evaluation && densitySection(content.evaluation) },
    { id: 'latents', title: 'Latents', body: latentsSection(content) },
  ];
  const status =
    run.status === 'complete'
      ? undefined
      : html` <span class="status">${run.status === 'running' ? 'not finished' : run.status}</span> ·`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${run.name} · monosem</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>
<h1>${run.name}</h1>
<p class="subtitle">${subtitle(run)}</p>
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
</header>
<main>
${sections.map(
  ({
    id,
    title,
    body,
  }) => html`<section id="${id}"><h2>${title}</h2>${body ?? html`<p class="quiet">The run has not come to this yet.</p>`}</section>
`,
)}</main>
<footer>${status} ${run.created.slice(0, 16).replace('T', ' ')} UTC · monosem ${run.versions.monosem} · this page holds all it shows and asks for nothing from outside</footer>
<script>${trusted(CLIENT)}</script>
</body>
</html>
`.html;
}

/** Nothing from outside, and of scripts and styles only the page's own, told by their hashes. */
function policy(): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; script-src ${hash(CLIENT)}; style-src ${hash(STYLE)}; base-uri 'none'; form-action 'none'`;
}

function trainingSection(metrics: readonly MetricsLine[]): Html | undefined {
  if (metrics.length === 0) return undefined;
  const figure = (caption: string, picture: Html, key?: Html) =>
    html`<figure><figcaption>${caption}${key}</figcaption>${picture}</figure>`;
  const curve = (title: string, value: (line: MetricsLine) => number) =>
    figure(title, drawn(trainingCurve(`${title} against tokens`, metrics, value)));
  return html`<div class="curves">
${figure(
  'FVU',
  drawn(fvuCurve(metrics)),
  legend([
    { line: 0, text: 'validation' },
    { line: 1, text: 'training batch', solid: true },
  ]),
)}
${curve('L0, active latents for each token', (line) => line.l0)}
${curve('Dead latents', (line) => line.dead)}
${curve('Learning rate', (line) => line.learningRate)}
</div>`;
}

function densitySection({ density: whole }: Evaluation): Html {
  // More lines than these do not show in one picture; evaluation.json has all.
  const density = { ...whole, dictionaries: whole.dictionaries.filter(isDrawn(whole)) };
  const key = density.dictionaries.map(({ name, silent }, line) => ({
    line,
    text: `${line === 0 ? 'this dictionary' : name}, ${grouped(silent)} silent`,
  }));
  return html`<p>How often latents fire on the test documents. Latents that never fired are in no bar and counted as
silent. Where the shape of this dictionary is that of a null, it says nothing about features.</p>
<figure><figcaption>${legend(key)}</figcaption>${drawn(densityHistogram(density))}</figure>`;
}

/** The run's own dictionary, and where there are more than two nulls those that every run has, or else the first two. */
function isDrawn({ dictionaries }: Density): (of: { name: string }, i: number) => boolean {
  const basic = dictionaries.slice(1).filter(({ name }) => BASIC_NULLS.some((one) => one === name));
  const drawn = dictionaries.length > 1 + MOST_COLUMNS && basic.length > 0 ? basic : dictionaries.slice(1);
  const names = drawn.slice(0, MOST_COLUMNS).map(({ name }) => name);
  return ({ name }, i) => i === 0 || names.includes(name);
}

function latentsSection({ features, examples, latentEvidence }: PageContent): Html | undefined {
  if (features === undefined || features.length === 0) return undefined;
  const sample = sampleLatents(features, SAMPLE_SIZE);
  const evidence = new Map(latentEvidence?.map((one) => [one.latent, one]));
  const shown = examplesByLatent(examples ?? [], SHOWN);
  const share = (count: number) => html`${grouped(count)} <small>${percent(count / features.length)}</small>`;
  const dead = features.filter((feature) => feature.firings === 0).length;
  const dense = features.filter((feature) => feature.density > DENSE_FREQUENCY).length;
  return html`<dl class="counts">
<div><dt>latents</dt><dd>${grouped(features.length)}</dd></div>
<div><dt>dead: never fire</dt><dd>${share(dead)}</dd></div>
<div><dt>dense: fire on more than ${percent(DENSE_FREQUENCY)} of tokens</dt><dd>${share(dense)}</dd></div>
<div><dt>shown below</dt><dd>${grouped(sample.length)}</dd></div></dl>
<p>The latents below are spread evenly over density, so that the rare and the dense ones can be seen too; they are not
a random sample. Each line gives a latent’s number, how often it fires, the tokens that it fires on most, and those that
it promotes. Open one for its examples: the strongest, then two from each tenth of its activations, the first tenth being
the strongest, so that the weak ones can be judged as well. A shade shows how strongly the latent fires on a
token, against its own maximum. Densities here are counted on the text that the examples come from.</p>
<div class="controls" hidden><input type="search" placeholder="Search tokens, text or #number" aria-label="Search latents">
<select class="band" aria-label="Which latents"><option value="all">any density</option><option value="rare">rare, below 0.1 %</option><option value="middle">0.1 % to 10 %</option><option value="dense">dense, above 10 %</option></select>
<select class="sort" aria-label="Order"><option value="latent">by number</option><option value="dense">densest first</option><option value="rare">rarest first</option><option value="strong">strongest first</option></select>
<output aria-live="polite"></output></div>
<p class="hint"><label><input type="checkbox" id="whole"> whole windows</label><span class="keys"><kbd>j</kbd> next · <kbd>k</kbd> previous · <kbd>/</kbd> search</span></p>
<p class="columns"><span>latent</span><span class="frequency">density</span><span>fires on</span><span>promotes</span></p>
<div class="latents">
${sample.map((feature, i) => latentCard(feature, shown.get(feature.latent), evidence.get(feature.latent), i === 0))}</div>`;
}
