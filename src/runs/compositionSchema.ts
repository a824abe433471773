/**
 * What composition.json and composition.parquet say: what each latent is to the others, a class for each and a table of edges.
 * It must not know how either was found.
 */
import * as z from 'zod';
import { EDGE_KINDS, LATENT_CLASSES } from '../evaluation/composition/graph.ts';
import type { Columns } from './columns.ts';

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

export const EDGE_COLUMNS: Columns<StoredEdge> = {
  kind: { column: 'kind', type: 'STRING' },
  from: { column: 'from_latent', type: 'INT32' },
  to: { column: 'to_latent', type: 'INT32' },
  atom: { column: 'atom', type: 'INT32' },
  strength: { column: 'strength', type: 'DOUBLE' },
  pValue: { column: 'p_value', type: 'DOUBLE' },
  qValue: { column: 'q_value', type: 'DOUBLE' },
};
