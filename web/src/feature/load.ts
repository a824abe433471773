/** All that the page of a latent shows, each part from its own file. It must not know how it is shown. */

import type * as z from 'zod';
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import {
  ATLAS_COLUMNS,
  type Atlas,
  type AtlasRow,
  atlasRowSchema,
  atlasSchema,
} from '../../../src/runs/atlasSchema.ts';
import type { Columns } from '../../../src/runs/columns.ts';
import { EXAMPLE_COLUMNS, FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import { compositionEdgeSchema, EDGE_COLUMNS, type StoredEdge } from '../../../src/runs/compositionSchema.ts';
import {
  EVIDENCE_COLUMNS,
  type EvidenceSummary,
  evidenceSchema,
  type LatentEvidence,
  latentEvidenceSchema,
} from '../../../src/runs/evidenceSchema.ts';
import {
  type Evaluation,
  type Example,
  evaluationSchema,
  exampleSchema,
  type Feature,
  featureSchema,
} from '../../../src/runs/schema.ts';
import { DataError } from '../data/fetch.ts';
import { checkedRows, jsonPart, type Part, partOf } from '../data/parts.ts';
import { readRows } from '../data/tables.ts';

export interface LatentParts {
  readonly run: ListedRun;
  readonly latent: number;
  readonly feature: Part<Feature>;
  readonly examples: Part<Example[]>;
  readonly evidence: Part<LatentEvidence>;
  readonly summary: Part<EvidenceSummary>;
  readonly evaluation: Part<Evaluation>;
  readonly place: Part<AtlasRow>;
  readonly atlas: Part<Atlas>;
  readonly edges: Part<StoredEdge[]>;
}

/** DataError where the run has no such latent; else every part says for itself what it is. */
export async function loadLatent(run: ListedRun, latent: number): Promise<LatentParts> {
  if (latent >= run.latents)
    throw new DataError(`${run.path} has no latent ${latent}: its latents are 0 to ${run.latents - 1}`);
  const [feature, examples, evidence, summary, evaluation, place, atlas, edges] = await Promise.all([
    rowPart(run, 'features.parquet', featureSchema, FEATURE_COLUMNS, latent),
    partOf(run, ['examples.parquet'], () =>
      rowsOf(run, 'examples.parquet', exampleSchema, EXAMPLE_COLUMNS, { key: 'latent', latent }),
    ),
    rowPart(run, 'evidence.parquet', latentEvidenceSchema, EVIDENCE_COLUMNS, latent),
    jsonPart(run, 'evidence.json', evidenceSchema),
    jsonPart(run, 'evaluation.json', evaluationSchema),
    rowPart(run, 'atlas.parquet', atlasRowSchema, ATLAS_COLUMNS, latent),
    jsonPart(run, 'atlas.json', atlasSchema),
    partOf(run, ['composition.parquet'], () => edgesOf(run, latent)),
  ]);
  return { run, latent, feature, examples, evidence, summary, evaluation, place, atlas, edges };
}

/** The row of a latent in a table that has one for each. */
function rowPart<Row extends { latent: number }>(
  run: ListedRun,
  file: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  latent: number,
): Promise<Part<Row>> {
  return partOf(run, [file], async () => {
    const [row] = await rowsOf(run, file, schema, columns, { key: 'latent', latent });
    if (row === undefined) throw new DataError(`${run.path}/${file}: there is no row of latent ${latent}`);
    return row;
  });
}

async function rowsOf<Row extends object>(
  run: ListedRun,
  file: string,
  schema: z.ZodType<Row>,
  columns: Columns<Row>,
  { key, latent }: { key: keyof Row & string; latent: number },
): Promise<Row[]> {
  const keys = Object.keys(columns) as (keyof Row & string)[];
  const rows = await readRows(run, file, columns, keys, { key, from: latent, to: latent });
  return checkedRows(schema, rows, `${run.path}/${file}`);
}

/** Edges from the latent, then those to it; the ends of `hedges` are latents of another dictionary. */
async function edgesOf(run: ListedRun, latent: number): Promise<StoredEdge[]> {
  const ofEnd = (key: 'from' | 'to') =>
    rowsOf(run, 'composition.parquet', compositionEdgeSchema, EDGE_COLUMNS, { key, latent });
  const [from, to] = await Promise.all([ofEnd('from'), ofEnd('to')]);
  return [...from, ...to.filter((edge) => edge.kind !== 'hedges' && edge.from !== latent)];
}
