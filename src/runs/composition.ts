/**
 * composition.json and composition.parquet of a run directory: what each latent is to the others, a class for each and a
 * table of edges. It must not know how either was found.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { EDGE_KINDS, LATENT_CLASSES } from '../evaluation/composition/graph.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { exists, RUN_FILES } from './directory.ts';
import { type Columns, readTable, writeTable } from './tables.ts';

const whole = z.int().nonnegative();
const share = z.number().min(0).max(1);
const latentClass = z.enum(LATENT_CLASSES);
const edgeKind = z.enum(EDGE_KINDS);

/** composition.json. */
export const compositionSchema = z
  .object({
    format: z.literal(1),
    /** Of held-out rows, on which firings were counted. */
    rows: whole,
    parameters: z.object({
      /** The false-discovery rate of the edges, kind by kind. */
      level: share,
      seed: whole,
      /** Whether hedging was looked for, against a wider dictionary. */
      wider: z.boolean(),
    }),
    /** Latents of each class. */
    counts: z.record(latentClass, whole),
    /** Edges of each kind that were tested. */
    tested: z.record(edgeKind, whole),
    /** A latent that points the way of each atom; -1 where there is none. */
    atoms: z.array(z.int().min(-1)),
    /** One for each latent, in order. */
    latents: z.array(
      z.object({
        class: latentClass,
        firings: whole,
        /** The share of its decoder row that its atoms explain; null where it was not written in atoms. */
        explained: z.number().nullable(),
      }),
    ),
  })
  .superRefine(({ counts, latents }, context) => {
    for (const name of latentClass.options) {
      const found = latents.filter((latent) => latent.class === name).length;
      if (counts[name] !== found)
        context.addIssue({
          code: 'custom',
          path: ['counts', name],
          message: `found ${counts[name]}, but ${found} latents are of this class`,
        });
    }
  });

/** A row of composition.parquet. */
export const compositionEdgeSchema = z.object({
  kind: edgeKind,
  from: whole,
  /** A latent, of the wider dictionary for `hedges`; -1 where no latent points the way of the atom. */
  to: z.int().min(-1),
  /** The place in composition.json's `atoms`; -1 for kinds other than `composed`. */
  atom: z.int().min(-1),
  strength: z.number(),
  pValue: share,
  qValue: share,
});

export type StoredComposition = z.output<typeof compositionSchema>;
export type StoredEdge = z.output<typeof compositionEdgeSchema>;

const EDGE_COLUMNS: Columns<StoredEdge> = {
  kind: { column: 'kind', type: 'STRING' },
  from: { column: 'from_latent', type: 'INT32' },
  to: { column: 'to_latent', type: 'INT32' },
  atom: { column: 'atom', type: 'INT32' },
  strength: { column: 'strength', type: 'DOUBLE' },
  pValue: { column: 'p_value', type: 'DOUBLE' },
  qValue: { column: 'q_value', type: 'DOUBLE' },
};

/** Writes composition.json and composition.parquet, a row for each edge. */
export async function writeComposition(
  directory: string,
  composition: StoredComposition,
  edges: readonly StoredEdge[],
): Promise<void> {
  const path = join(directory, RUN_FILES.composition);
  await writeTable(join(directory, RUN_FILES.compositionEdges), compositionEdgeSchema, EDGE_COLUMNS, edges);
  await writeFileAtomic(path, jsonText(validate(compositionSchema, composition, path)));
}

/** Reads both; undefined where the run has not come to them. */
export async function readComposition(
  directory: string,
): Promise<{ composition: StoredComposition; edges: StoredEdge[] } | undefined> {
  const path = join(directory, RUN_FILES.composition);
  if (!(await exists(path))) return undefined;
  const composition = validate(compositionSchema, await readJson(path), path);
  const edges = await readTable(
    join(directory, RUN_FILES.compositionEdges),
    compositionEdgeSchema,
    EDGE_COLUMNS,
  );
  return edges && { composition, edges };
}
