/**
 * Activations that another pipeline harvested, split by document: what can be taken apart where there is no model at hand.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Split, splitByDocument } from '../activations/corpus.ts';
import { openActivations } from '../activations/files/index.ts';
import type { ActivationSource } from '../activations/source.ts';
import { sha256File } from '../formats/hash.ts';
import type { RunConfig } from '../runs/config.ts';
import type { Run } from '../runs/schema.ts';
import type { Workbench } from './subject.ts';

export interface FileSubject {
  readonly path: string;
  readonly sha256: string;
  readonly source: ActivationSource;
  /** Sequences of the source. */
  readonly split: Split;
}

/** Opens the file and splits its documents as the configuration has it for those of a corpus. */
export async function loadFileSubject(
  bench: Workbench,
  path: string,
  { corpus }: Pick<RunConfig, 'corpus'>,
): Promise<FileSubject> {
  const source = await bench.stopwatch.phase(bench.reporter, 'reading', 'rows', (update) =>
    openActivations(path, (done, total) => {
      bench.signal?.throwIfAborted();
      update(done, total);
    }),
  );
  const fractions = { validation: corpus.validationFraction, test: corpus.testFraction };
  const documents = numbered(source);
  return {
    path,
    sha256: await sha256File((await stat(path)).isDirectory() ? join(path, 'store.json') : path),
    source,
    split: splitByDocument({ name: path, documents }, fractions, corpus.seed),
  };
}

/** What run.json says of the file. */
export function describeFile({ path, sha256, source, split }: FileSubject): Pick<Run, 'file'> {
  const rows = (part: Uint32Array) => part.reduce((sum, s) => sum + source.rowsOf(s), 0);
  const documents = (part: Uint32Array) => new Set(Array.from(part, (s) => source.documentOf(s))).size;
  const counts = (count: (part: Uint32Array) => number) => ({
    train: count(split.train),
    validation: count(split.validation),
    test: count(split.test),
  });
  return { file: { path, sha256, documents: counts(documents), rows: counts(rows) } };
}

/** The document of each sequence, by numbers from 0 on in the order met. */
function numbered(source: ActivationSource): Uint32Array {
  const numbers = new Map<number, number>();
  return Uint32Array.from({ length: source.sequences }, (_, s) => {
    const document = source.documentOf(s);
    if (!numbers.has(document)) numbers.set(document, numbers.size);
    return numbers.get(document)!;
  });
}
