/**
 * What a person may do to latents in a text: take one out, scale it, add to it, set it. From edits and codes it makes the
 * change of the codes. It must not know what the change does to a model.
 */
import { InputError } from '../formats/errors.ts';
import type { SparseRows } from '../kernels/backend.ts';

/** An edit makes of an activation a, which is 0 where the latent does not fire: 0, `value a`, `a + value`, `value`. */
export type LatentEdit = {
  readonly latent: number;
  /** Token positions at which it is made, BOS being 0; where absent, all but BOS, also of text that is yet to be written. */
  readonly positions?: readonly number[];
} & ({ readonly kind: 'ablate' } | { readonly kind: 'scale' | 'add' | 'set'; readonly value: number });

export const MOST_EDITS = 64;
/** Far beyond any activation; squares of what it makes still fit float32. */
export const LARGEST_VALUE = 1e6;

/** InputError where an edit is not one for a dictionary of `latents` and a text of `length` tokens; names it. */
export function checkEdits(edits: readonly LatentEdit[], latents: number, length: number): void {
  if (edits.length > MOST_EDITS)
    throw new InputError(`edits: found ${edits.length}, expected at most ${MOST_EDITS}`);
  edits.forEach((edit, i) => {
    const refuse = (field: string, found: unknown, expected: string): never => {
      throw new InputError(`edits[${i}].${field}: found ${found}, expected ${expected}`);
    };
    const { latent, positions } = edit;
    if (!Number.isInteger(latent) || latent < 0 || latent >= latents)
      refuse('latent', latent, `a latent of the dictionary, 0 to ${latents - 1}`);
    if (edit.kind !== 'ablate' && !(Math.abs(edit.value) <= LARGEST_VALUE))
      refuse('value', edit.value, `a number from ${-LARGEST_VALUE} to ${LARGEST_VALUE}`);
    for (const position of positions ?? [])
      if (!Number.isInteger(position) || position < 1 || position >= length)
        refuse(
          'positions',
          position,
          `tokens 1 to ${length - 1} (the dictionary does not read token 0, which is BOS)`,
        );
  });
}

/**
 * What the edits, one after the other, add to `codes`, whose row r is of the token at position `first + r`: activations after
 * them less activations before. What they leave as it is has no entry.
 */
export function codeChanges(codes: SparseRows, first: number, edits: readonly LatentEdit[]): SparseRows {
  const latents = [...new Set(edits.map(({ latent }) => latent))].sort((a, b) => a - b);
  const offsets = new Uint32Array(codes.rows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let r = 0; r < codes.rows; r++) {
    const here = edits.filter(({ positions }) => positions?.includes(first + r) ?? true);
    for (const latent of latents) {
      const before = activationOf(codes, r, latent);
      const after = here.reduce(
        (activation, edit) => (edit.latent === latent ? edited(activation, edit) : activation),
        before,
      );
      if (after === before) continue;
      indices.push(latent);
      values.push(after - before);
    }
    offsets[r + 1] = indices.length;
  }
  return { rows: codes.rows, offsets, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
}

function edited(activation: number, edit: LatentEdit): number {
  switch (edit.kind) {
    case 'ablate':
      return 0;
    case 'scale':
      return edit.value * activation;
    case 'add':
      return activation + edit.value;
    case 'set':
      return edit.value;
  }
}

function activationOf({ offsets, indices, values }: SparseRows, row: number, latent: number): number {
  for (let e = offsets[row]; e < offsets[row + 1]; e++) if (indices[e] === latent) return values[e];
  return 0;
}
