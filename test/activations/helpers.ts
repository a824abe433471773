/** Small sources, tokenizers and directories that the tests of this room share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource } from '../../src/activations/memory.ts';
import type { ActivationRows, ActivationSource } from '../../src/activations/source.ts';
import { Random } from '../../src/math/random.ts';
import type { Tokenizer } from '../../src/models/tokenizer.ts';

/** Runs `use` with a directory that is removed afterwards. */
export async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'monosem-activations-'));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Sequences of the given lengths, each a document, with normal activations and tokens that number the rows. */
export function syntheticSource(lengths: readonly number[], width = 3, seed = 0): ActivationSource {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const activations = new Float32Array(rows * width);
  new Random(seed, 'synthetic').fillNormal(activations, 1);
  const sequences = Int32Array.from(lengths.flatMap((length, s) => Array<number>(length).fill(10 + s)));
  return memorySource({
    width,
    activations,
    sequences,
    documents: sequences.map((id) => id - 10),
    tokens: Int32Array.from({ length: rows }, (_, row) => row),
  });
}

/** The source, with a note of how many rows each read took. */
export function watched(source: ActivationSource): ActivationSource & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    ...source,
    reads,
    async read(asked) {
      const rows = await source.read(asked);
      reads.push(rows.rows);
      return rows;
    },
  };
}

export function allSequences(source: ActivationSource): number[] {
  return Array.from({ length: source.sequences }, (_, s) => s);
}

export async function collect(batches: AsyncIterable<ActivationRows>): Promise<ActivationRows[]> {
  const result: ActivationRows[] = [];
  for await (const batch of batches) result.push(batch);
  return result;
}

/** A token for each UTF-16 unit, moved up by one to leave 0 to BOS. */
export const letters: Tokenizer = {
  vocabulary: 65537,
  bos: 0,
  encode: (text, { bos = false } = {}) =>
    Int32Array.from([...(bos ? [0] : []), ...text.split('').map((c) => 1 + c.charCodeAt(0))]),
  decode: (tokens) => String.fromCharCode(...Array.from(tokens, (token) => token - 1)),
  text: (token) => String.fromCharCode(token - 1),
};
