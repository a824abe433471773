/** What the reader has made in the lab, as the query of an address and back, so that a link shows the same to others. */
import { type Edit, editSchema } from '../../../src/server/labSchema.ts';

export interface Writing {
  readonly tokens: number;
  readonly temperature: number;
  readonly seed: number;
}

export interface LabState {
  readonly text: string;
  readonly edits: readonly Edit[];
  readonly writing: Writing;
}

export const FIRST_TEXT = 'Once upon a time, there was a little girl named Lily. One day, she saw a big';
export const FIRST_WRITING: Writing = { tokens: 40, temperature: 0, seed: 0 };

/** What is as at the beginning is left out: of edits `add_12_3.5`, of one at tokens 4 and 5 `ablate_12_at_4_5`, by `*`. */
export function labQuery({ text, edits, writing }: LabState): URLSearchParams {
  const query = new URLSearchParams({ text });
  if (edits.length > 0) query.set('edits', edits.map(editPart).join('*'));
  for (const [name, value] of Object.entries(writing))
    if (value !== FIRST_WRITING[name as keyof Writing]) query.set(name, String(value));
  return query;
}

/** What an address says; what it says wrongly is as at the beginning. */
export function labState(query: URLSearchParams): LabState {
  const number = (name: keyof Writing, fits: (value: number) => boolean) => {
    const given = query.get(name);
    const value = given === null || given === '' ? Number.NaN : Number(given);
    return fits(value) ? value : FIRST_WRITING[name];
  };
  return {
    text: query.get('text') ?? FIRST_TEXT,
    edits: (query.get('edits') ?? '').split('*').flatMap(editOf),
    writing: {
      tokens: number('tokens', (value) => Number.isInteger(value) && value >= 1),
      temperature: number('temperature', (value) => value >= 0 && value < Infinity),
      seed: number('seed', Number.isSafeInteger),
    },
  };
}

function editPart(edit: Edit): string {
  const positions = edit.positions === undefined ? [] : ['at', ...edit.positions];
  return [edit.kind, edit.latent, ...('value' in edit ? [edit.value] : []), ...positions].join('_');
}

function editOf(part: string): Edit[] {
  const [own, at] = part.split('_at_', 2);
  const [kind, latent, value] = own.split('_');
  const read = editSchema.safeParse({
    kind,
    latent: numberOf(latent),
    ...(value !== undefined && { value: numberOf(value) }),
    ...(at !== undefined && { positions: at.split('_').map(numberOf) }),
  });
  return read.success ? [read.data] : [];
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}
