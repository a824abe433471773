/**
 * What was run, in lines for people, from run.json. Its own schema checks the configuration of every family; here only what is told
 * is looked at. It must not know how facts are shown.
 */
import * as z from 'zod';
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { decimal, duration, grouped, percent, scaled } from '../../../src/report/numbers.ts';
import { machineSchema } from '../../../src/runs/schema.ts';
import { fetchJson, fileAddress } from '../data/fetch.ts';

const splits = z.object({ train: z.number(), validation: z.number(), test: z.number() });

const toldSchema = z.object({
  seed: z.number(),
  versions: z.object({ monosem: z.string(), node: z.string() }),
  config: z.looseObject({
    dictionary: z.looseObject({ family: z.string(), latents: z.number() }),
    training: z.looseObject({ batch: z.number(), learningRate: z.union([z.number(), z.literal('auto')]) }),
  }),
  model: z.object({ name: z.string(), source: z.string() }).optional(),
  corpus: z
    .object({
      name: z.string(),
      description: z.string(),
      modelGenerated: z.boolean(),
      documents: splits,
      tokens: splits,
    })
    .optional(),
  file: z.object({ path: z.string(), documents: splits, rows: splits }).optional(),
  machine: machineSchema,
  activations: z.object({ width: z.number(), scale: z.number() }).optional(),
  training: z.object({ tokens: z.number(), steps: z.number(), deadLatents: z.number() }).optional(),
  timing: z.record(z.string(), z.object({ wallSeconds: z.number(), cpuSeconds: z.number() })),
  flops: z.record(z.string(), z.number()),
});

export type Told = z.output<typeof toldSchema>;

export interface Fact {
  readonly name: string;
  readonly lines: readonly string[];
}

export function readTold(run: ListedRun): Promise<Told> {
  return fetchJson(toldSchema, fileAddress(run.path, 'run.json'), `${run.path}/run.json`);
}

export function factsOf(told: Told): Fact[] {
  const { config, model, corpus, file, activations, training, machine, versions, timing, flops, seed } = told;
  const { family, latents, ...options } = config.dictionary;
  const { batch, learningRate } = config.training;
  const divided = (documents: z.output<typeof splits>, of: z.output<typeof splits>, what: string) =>
    (['train', 'validation', 'test'] as const).map(
      (split) => `${split}: ${grouped(documents[split])} documents, ${grouped(of[split])} ${what}`,
    );
  const phases = Object.entries(timing);
  const wall = phases.reduce((sum, [, { wallSeconds }]) => sum + wallSeconds, 0);
  const operations = Object.values(flops).reduce((sum, count) => sum + count, 0);
  return [
    {
      name: 'Model',
      lines: file
        ? [file.path, 'activations of another pipeline', ...divided(file.documents, file.rows, 'rows')]
        : [model?.name ?? 'not yet known', ...(model ? [model.source] : [])],
    },
    {
      name: 'Dictionary',
      lines: [
        `${family}, ${grouped(latents)} latents`,
        ...(activations
          ? [
              `${decimal(latents / activations.width, 1)} for each of ${grouped(activations.width)} dimensions`,
            ]
          : []),
        ...Object.entries(options).map(([name, value]) => `${name} = ${String(value)}`),
      ],
    },
    ...(corpus
      ? [
          {
            name: 'Corpus',
            lines: [
              `${corpus.name}: ${corpus.description}`,
              ...(corpus.modelGenerated ? ['Model-generated text: no person wrote it.'] : []),
              ...divided(corpus.documents, corpus.tokens, 'tokens'),
            ],
          },
        ]
      : []),
    {
      name: 'Training',
      lines: [
        training ? `${grouped(training.tokens)} tokens in ${grouped(training.steps)} steps` : 'not over',
        ...(training
          ? [
              `${grouped(training.deadLatents)} latents dead at its end (${percent(training.deadLatents / latents)})`,
            ]
          : []),
        `batches of ${grouped(batch)}, learning rate ${learningRate === 'auto' ? 'automatic' : Number(learningRate.toPrecision(3))}, seed ${seed}`,
      ],
    },
    {
      name: 'Machine',
      lines: [
        machine.cpu,
        `${machine.backend} backend, ${machine.instructionSet}, ${machine.threads === 1 ? '1 thread' : `${machine.threads} threads`}`,
        `monosem ${versions.monosem}, Node ${versions.node}`,
        ...(phases.length > 0 ? [`${duration(wall)} in all, ${scaled(operations)}FLOP`] : []),
      ],
    },
  ];
}
