/** The list of edits that a reader makes: at most one of each latent. It must not know what they do. */
import type { Edit } from '../../../src/server/labSchema.ts';

export type Kind = Edit['kind'];

export const KINDS: readonly Kind[] = ['ablate', 'scale', 'add', 'set'];

/** An edit of this kind to begin with, of a latent whose strongest firing is `strength`. */
export function firstEdit(kind: Kind, latent: number, strength: number): Edit {
  if (kind === 'ablate') return { kind, latent };
  return { kind, latent, value: kind === 'scale' ? 2 : Number(strength.toPrecision(2)) };
}

/** How far a slider of its value goes, and in which steps. */
export function sliderOf(kind: Kind, strength: number): { min: number; max: number; step: number } {
  if (kind === 'scale') return { min: -2, max: 5, step: 0.1 };
  const most = Number((4 * strength).toPrecision(2));
  return { min: -most, max: most, step: most / 200 };
}

/** `edits` with `edit` in the place of one of the same latent, or at the end. */
export function withEdit(edits: readonly Edit[], edit: Edit): Edit[] {
  const at = edits.findIndex(({ latent }) => latent === edit.latent);
  return at < 0 ? [...edits, edit] : edits.with(at, edit);
}

export function withoutLatent(edits: readonly Edit[], latent: number): Edit[] {
  return edits.filter((edit) => edit.latent !== latent);
}

/** The edit at all tokens, or at one only. */
export function placed(edit: Edit, position: number | undefined): Edit {
  const { positions: _, ...everywhere } = edit;
  return position === undefined ? everywhere : { ...everywhere, positions: [position] };
}

/** Those that a text of `length` tokens has a place for. */
export function editsWithin(edits: readonly Edit[], length: number): Edit[] {
  return edits.filter(({ positions }) => positions?.every((position) => position < length) ?? true);
}
