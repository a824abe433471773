/** Text other than a run's own, on which its model is run to see whether latents hold there too. It must not know what is measured. */
import { type Corpus, sequenceCount, tokenCount } from '../activations/corpus.ts';
import { InputError } from '../formats/errors.ts';
import type { RunConfig } from '../runs/config.ts';
import { isFile, type Material, readCorpus, type Workbench } from './subject.ts';

/** Sequences that are read: a latent that fires on one token in a hundred fires some hundreds of times on them. */
const SEQUENCES = 128;

export interface OtherText {
  readonly corpus: Corpus;
  /** Evenly over the corpus. */
  readonly sequences: Uint32Array;
  readonly tokens: number;
}

/** The corpus that `name` stands for, cut as the run's own. InputError where it is the run's own, or where no model could read it. */
export async function otherText(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  name: string,
): Promise<OtherText> {
  if (isFile(material))
    throw new InputError(
      `other corpus ${name}: the run is of a file of activations, and has no model that could read another text`,
    );
  const { corpus } = await readCorpus(bench, 'other corpus', { ...config.corpus, name }, material);
  if (corpus.sha256 === material.corpus.sha256)
    throw new InputError(`other corpus ${name}: it is the run's own; name another`);
  const all = sequenceCount(corpus);
  const count = Math.min(SEQUENCES, all);
  const sequences = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
  return { corpus, sequences, tokens: tokenCount(corpus, sequences) - count };
}
