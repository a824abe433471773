/** A world with known features in the place of a file of activations: any number of samples, of which none is seen twice. */
import { knownSource } from '../activations/knownSource.ts';
import { sha256 } from '../formats/hash.ts';
import type { Backend } from '../kernels/backend.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import type { FileSubject } from './fileSubject.ts';

/** On which what was trained is looked at. */
const VALIDATION_ROWS = 4096;

/** The name under which a configuration has the samples of a world. */
export function worldPath(name: string, seed: number): string {
  return `world:${name}:${seed}`;
}

/** `rows` samples to train on, and before them 4,096 to validate on, each block of samples a document. */
export function worldMaterial(
  backend: Backend,
  world: Distribution,
  path: string,
  rows: number,
): FileSubject {
  const held = VALIDATION_ROWS / BLOCK_ROWS;
  const blocks = Math.ceil(rows / BLOCK_ROWS);
  return {
    path,
    sha256: sha256(path),
    source: knownSource(backend, world, { firstBlock: 0, sequences: held + blocks }),
    split: {
      train: Uint32Array.from({ length: blocks }, (_, i) => held + i),
      validation: Uint32Array.from({ length: held }, (_, i) => i),
      test: new Uint32Array(0),
    },
  };
}
