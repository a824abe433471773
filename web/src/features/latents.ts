/**
 * The numbers of all latents of a run, a typed array each, so that a hundred thousand are sorted and filtered at once. What is not
 * known is NaN, or no code. It must not know how they are shown.
 */
import { LATENT_CLASSES } from '../../../src/evaluation/composition/graph.ts';
import { VERDICTS } from '../../../src/evaluation/verdict/verdicts.ts';
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import { compositionSchema } from '../../../src/runs/compositionSchema.ts';
import { EVIDENCE_COLUMNS } from '../../../src/runs/evidenceSchema.ts';
import { fetchJson, fileAddress } from '../data/fetch.ts';
import { hasFile, readColumns } from '../data/tables.ts';

/** Of a latent without a verdict or a class. */
export const NO_CODE = 255;

/** Row i of each is of one latent. */
export interface Latents {
  readonly count: number;
  readonly latent: Float64Array;
  readonly density: Float64Array;
  readonly maxActivation: Float64Array;
  /** The row of a latent, by its number. */
  readonly rowOf: ReadonlyMap<number, number>;
}

/** What was found out about the latents of `Latents`, row by row. */
export interface Judged {
  /** Places in `VERDICTS`. */
  readonly verdict?: Uint8Array;
  readonly probability?: Float64Array;
  /** Places in `LATENT_CLASSES`. */
  readonly latentClass?: Uint8Array;
}

export async function readLatents(run: ListedRun): Promise<Latents> {
  const { latent, density, maxActivation } = await readColumns(run, 'features.parquet', FEATURE_COLUMNS, [
    'latent',
    'density',
    'maxActivation',
  ]);
  const rowOf = new Map<number, number>();
  for (let row = 0; row < latent.length; row++) rowOf.set(latent[row], row);
  return { count: latent.length, latent, density, maxActivation, rowOf };
}

/** Verdicts, and classes from wherever they are. */
export async function readJudged(run: ListedRun, latents: Latents): Promise<Judged> {
  if (hasFile(run, 'evidence.parquet')) {
    const read = await readColumns(run, 'evidence.parquet', EVIDENCE_COLUMNS, [
      'latent',
      'verdict',
      'probability',
      'class',
    ]);
    const probability = new Float64Array(latents.count).fill(Number.NaN);
    for (let i = 0; i < read.latent.length; i++) {
      const row = latents.rowOf.get(read.latent[i]);
      if (row !== undefined) probability[row] = read.probability[i];
    }
    return {
      probability,
      verdict: codes(latents, read.latent, read.verdict, VERDICTS),
      latentClass: codes(latents, read.latent, read.class, LATENT_CLASSES),
    };
  }
  if (!hasFile(run, 'composition.json')) return {};
  const file = fileAddress(run.path, 'composition.json');
  const composition = await fetchJson(compositionSchema, file, `${run.path}/composition.json`);
  const names = composition.latents.map((one) => one.class);
  return { latentClass: codes(latents, Float64Array.from(names.keys()), names, LATENT_CLASSES) };
}

function codes(
  latents: Latents,
  latent: Float64Array,
  values: readonly string[],
  names: readonly string[],
): Uint8Array {
  const code = new Map(names.map((name, i) => [name, i]));
  const result = new Uint8Array(latents.count).fill(NO_CODE);
  for (let i = 0; i < latent.length; i++) {
    const row = latents.rowOf.get(latent[i]);
    if (row !== undefined) result[row] = code.get(values[i]) ?? NO_CODE;
  }
  return result;
}
