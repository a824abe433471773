/** A run in one screen of text. */
import { duration, grouped, scaled } from '../report/numbers.ts';
import type { Evaluation, Run } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { metricsTable } from './metricsTable.ts';
import { corpusText, facts, table } from './text.ts';

export function runSummary(directory: string, run: Run, evaluation: Evaluation | undefined): string {
  const { config, machine } = run;
  const { dictionary, training } = config;
  const pairs: [string, string][] = [
    ['run', `${run.name} (${directory})`],
    ['status', status(directory, run)],
    ['created', run.created],
    ...subjectFacts(run),
    ...corpusFacts(run),
    ['dictionary', dictionaryText(dictionary)],
    [
      'training',
      `${grouped(training.tokens)} tokens, batch ${grouped(training.batch)}, learning rate ${rate(training.learningRate)}, seed ${run.seed}`,
    ],
    ...(run.training ? [['trained', trained(run.training)] as [string, string]] : []),
    ['machine', `${machine.cpu}; ${machine.backend} (${machine.instructionSet}), ${machine.threads} threads`],
    ['versions', `monosem ${run.versions.monosem}, Node ${run.versions.node}`],
  ];
  const parts = [facts(pairs)];
  parts.push(evaluation ? metricsTable(evaluation) : `Not evaluated yet: monosem evaluate ${directory}`);
  if (Object.keys(run.timing).length > 0) parts.push(timing(run));
  return parts.map((part) => part.trimEnd()).join('\n\n');
}

function dictionaryText({ family, latents, ...told }: Run['config']['dictionary']): string {
  const others = Object.entries(told).map(([name, value]) => `${name} ${value}`);
  return [family, `${grouped(latents)} latents`, ...others].join(', ');
}

function status(directory: string, { status }: Run): string {
  if (status === 'complete') return status;
  if (status === 'evaluated')
    return `${status} (its latents are explained by: monosem evaluate ${directory})`;
  return `${status} (go on with: monosem train --resume ${directory})`;
}

function subjectFacts({ model, config }: Run): [string, string][] {
  if (config.activations !== undefined) return [['activations', config.activations]];
  return [
    ['model', model ? `${model.name} (${model.source})` : config.model],
    ['hook point', siteName(config)],
  ];
}

function corpusFacts({ corpus, config }: Run): [string, string][] {
  if (config.activations !== undefined) return [];
  if (!corpus) return [['corpus', config.corpus.name]];
  const { documents, tokens } = corpus;
  const split = (part: 'train' | 'validation' | 'test') =>
    `${part} ${grouped(tokens[part])} tokens in ${grouped(documents[part])} documents`;
  return [
    ['corpus', corpusText(corpus)],
    ['split', `${split('train')}; ${split('validation')}; ${split('test')}`],
  ];
}

function trained({ tokens, steps, deadLatents }: NonNullable<Run['training']>): string {
  return `${grouped(tokens)} tokens in ${grouped(steps)} steps; ${grouped(deadLatents)} dead latents`;
}

function rate(value: number | 'auto'): string {
  return value === 'auto' ? value : String(Number(value.toPrecision(3)));
}

function timing({ timing, flops }: Run): string {
  const rows = Object.entries(timing).map(([phase, { wallSeconds, cpuSeconds }]) => [
    phase,
    duration(wallSeconds),
    duration(cpuSeconds),
    phase in flops ? `${scaled(flops[phase])}FLOP` : '',
  ]);
  return table(['phase', 'wall time', 'CPU time', ''], rows, ['left', 'right', 'right', 'right']);
}
