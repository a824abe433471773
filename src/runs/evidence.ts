/** evidence.json and evidence.parquet of a run, written and read. It must not know what is in them. */
import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { exists, RUN_FILES } from './directory.ts';
import {
  EVIDENCE_COLUMNS,
  type EvidenceSummary,
  evidenceSchema,
  type LatentEvidence,
  latentEvidenceSchema,
} from './evidenceSchema.ts';
import { readTable, writeTable } from './tables.ts';

/** Writes both files, in the place of those that are there. */
export async function writeEvidence(
  directory: string,
  summary: EvidenceSummary,
  latents: Iterable<LatentEvidence>,
): Promise<void> {
  await writeTable(
    join(directory, RUN_FILES.latentEvidence),
    latentEvidenceSchema,
    EVIDENCE_COLUMNS,
    latents,
  );
  const path = join(directory, RUN_FILES.evidence);
  await writeFileAtomic(path, jsonText(validate(evidenceSchema, summary, path)));
}

/** Reads evidence.json; undefined where the run has not been judged. */
export async function readEvidence(directory: string): Promise<EvidenceSummary | undefined> {
  const path = join(directory, RUN_FILES.evidence);
  return (await exists(path)) ? validate(evidenceSchema, await readJson(path), path) : undefined;
}

/** Reads evidence.parquet; undefined where the run has not been judged. */
export async function readLatentEvidence(directory: string): Promise<LatentEvidence[] | undefined> {
  return readTable(join(directory, RUN_FILES.latentEvidence), latentEvidenceSchema, EVIDENCE_COLUMNS);
}
