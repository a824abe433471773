/**
 * Activations that another pipeline harvested, split by document: what can be taken apart where there is no model at hand.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Split, splitByDocument } from '../activations/corpus.ts';
import { openActivations } from '../activations/files/index.ts';
import type { ActivationSource } from '../activations/source.ts';
import { InputError } from '../formats/errors.ts';
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
    sha256: await identity(path),
    source,
    split: splitByDocument({ name: path, documents }, fractions, corpus.seed),
  };
}

/** The SHA-256 of the file; of a directory, that of the file in it which names all others by their content. */
async function identity(path: string): Promise<string> {
  for (const file of [
    path,
    join(path, 'store.json'),
    join(path, 'state.json'),
    join(dirname(path), 'state.json'),
  ]) {
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) return sha256File(file);
  }
  throw new InputError(`${path}: it was there a moment ago and is no more`);
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
