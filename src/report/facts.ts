/** What was run: model, corpus, dictionary, training, machine, and the time of each phase. It must not know what came of it. */

import type { Run } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { type Html, html } from './html.ts';
import { decimal, duration, grouped, percent, scaled } from './numbers.ts';

/** One sentence on the run, for the head of the page. */
export function subtitle({ config, model }: Run): Html {
  const { family, latents } = config.dictionary;
  const origin = config.activations === undefined ? html` of ${model?.name ?? config.model}` : undefined;
  return html`A ${family} dictionary of ${grouped(latents)} latents for <code>${siteName(config)}</code>${origin}`;
}

/** The section on what was run. */
export function factsSection(run: Run): Html {
  return html`
<dl class="facts">
${fact('Model', modelFact(run))}
${fact('Dictionary', dictionaryFact(run))}
${fact('Corpus', corpusFact(run), 'tall')}
${fact('Training', trainingFact(run))}
${fact('Machine', machineFact(run))}
</dl>
${phases(run)}
<details class="config"><summary>The whole configuration</summary><pre>${configLines(run)}</pre></details>`;
}

function fact(name: string, text: Html, kind = ''): Html {
  return html`<div class="${kind}"><dt>${name}</dt><dd>${text}</dd></div>`;
}

function modelFact({ model, file, config, activations }: Run): Html {
  const width =
    activations &&
    html`<small>${grouped(activations.width)} dimensions, scaled by ${Number(activations.scale.toPrecision(4))} so that the mean squared norm is 1</small>`;
  if (file)
    return html`${file.path}<small>activations of another pipeline</small>${digest(file.sha256)}${width}`;
  const origin = model && html`<small>${model.source}</small>${digest(model.sha256)}`;
  return html`${model?.name ?? config.model}${origin}<small>hook point <code>${siteName(config)}</code></small>${width}`;
}

function corpusFact({ corpus, file, config }: Run): Html {
  if (file) return html`of the file${splitTable(file.documents, file.rows, 'rows')}`;
  if (corpus === undefined) return html`${config.corpus.name}`;
  const { documents, tokens } = corpus;
  const generated = corpus.modelGenerated
    ? html`<strong class="warning">Model-generated text: no person wrote it.</strong>`
    : undefined;
  return html`${corpus.name}${generated}<small>${corpus.description}</small>
${splitTable(documents, tokens, 'tokens')}${digest(corpus.sha256)}`;
}

type Counts = NonNullable<Run['corpus']>['documents'];

function splitTable(documents: Counts, others: Counts, what: string): Html {
  return html`<table class="splits"><thead><tr><th></th><th scope="col">documents</th><th scope="col">${what}</th></tr></thead><tbody>
${(['train', 'validation', 'test'] as const).map(
  (split) =>
    html`<tr><th scope="row">${split}</th><td>${grouped(documents[split])}</td><td>${grouped(others[split])}</td></tr>`,
)}</tbody></table>`;
}

function dictionaryFact({ config, activations }: Run): Html {
  const { family, latents, ...told } = config.dictionary;
  const times =
    activations &&
    `, ${decimal(latents / activations.width, latents % activations.width ? 1 : 0)} for each dimension`;
  const active = Object.entries(told)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
  return html`${family}, ${active}<small>${grouped(latents)} latents${times}</small>`;
}

function trainingFact({ config, training, seed }: Run): Html {
  const { batch, learningRate } = config.training;
  const recipe = html`<small>batches of ${grouped(batch)}, learning rate ${learningRate === 'auto' ? 'automatic' : Number(learningRate.toPrecision(3))}, seed ${seed}</small>`;
  if (training === undefined) return html`not begun${recipe}`;
  return html`${grouped(training.tokens)} tokens in ${grouped(training.steps)} steps${recipe}
<small>${grouped(training.deadLatents)} latents dead at the end (${percent(training.deadLatents / config.dictionary.latents)})</small>`;
}

function machineFact({ machine, versions }: Run): Html {
  const threads = machine.threads === 1 ? '1 thread' : `${machine.threads} threads`;
  return html`${machine.cpu}<small>${machine.backend} backend, ${machine.instructionSet}, ${threads}</small>
<small>monosem ${versions.monosem}, Node ${versions.node}</small>`;
}

function digest(sha256: string): Html {
  return html`<small>SHA-256 <code class="digest">${sha256.slice(0, 16)}</code></small>`;
}

function phases({ timing, flops }: Run): Html | undefined {
  const names = Object.keys(timing);
  if (names.length === 0) return undefined;
  const total = (key: 'wallSeconds' | 'cpuSeconds') =>
    names.reduce((sum, name) => sum + timing[name][key], 0);
  const wall = total('wallSeconds');
  return html`<div class="wide"><table class="phases"><thead><tr><th scope="col">Phase</th><th scope="col">time</th><th scope="col">share</th>
<th scope="col">processor time</th><th scope="col">operations</th><th scope="col">a second</th></tr></thead><tbody>${names.map(
    (name) => {
      const { wallSeconds, cpuSeconds } = timing[name];
      const operations = Object.hasOwn(flops, name) ? flops[name] : undefined;
      const rate = operations && wallSeconds > 0 ? `${scaled(operations / wallSeconds)}FLOP/s` : '–';
      return html`<tr><th scope="row">${name}</th><td>${duration(wallSeconds)}</td><td>${percent(wall > 0 ? wallSeconds / wall : 0)}</td><td>${duration(cpuSeconds)}</td><td>${operations === undefined ? '–' : `${scaled(operations)}FLOP`}</td><td>${rate}</td></tr>`;
    },
  )}</tbody><tfoot><tr><th scope="row">all</th><td>${duration(wall)}</td><td></td><td>${duration(total('cpuSeconds'))}</td><td></td><td></td></tr></tfoot></table></div>`;
}

/** The lines are kept apart: a template would show a line break inside a value as a sign. */
function configLines({ config }: Run): Html[] {
  return JSON.stringify(config, null, 2)
    .split('\n')
    .map((line) => html`${line}\n`);
}
