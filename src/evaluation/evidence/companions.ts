/**
 * The dictionaries that evidence is gathered with, by what they are told: of other seeds, of another width, of other L0. It must
 * not know how they are trained.
 */
import { type DictionaryOptions, familyOptions } from '../../dictionaries/families/index.ts';
import { knobOf } from '../knob.ts';

/** Dictionaries of other seeds. With the subject, three: one might agree by chance. */
const SEEDS = 2;
/** By how much the others are wider, sparser and denser. */
const FACTOR = 2;

export interface Companions {
  readonly seeds: readonly DictionaryOptions[];
  readonly widths: readonly DictionaryOptions[];
  /** The sparser first. */
  readonly sparsities: readonly DictionaryOptions[];
}

/** Two of other seeds, one of twice the width, one of half and one of twice the L0. */
export function companionsOf(dictionary: DictionaryOptions): Companions {
  return {
    seeds: Array.from({ length: SEEDS }, () => dictionary),
    widths: [familyOptions.parse({ ...dictionary, latents: FACTOR * dictionary.latents })],
    sparsities: [withKnob(dictionary, 1 / FACTOR), withKnob(dictionary, FACTOR)],
  };
}

/** With about `factor` times the L0: k or a target is that many times as large, a penalty that many times smaller. */
function withKnob(dictionary: DictionaryOptions, factor: number): DictionaryOptions {
  const knob = knobOf(dictionary);
  if (!knob) throw new RangeError(`${dictionary.family}: nothing that it is told decides its L0`);
  const { name, asked } = knob;
  if (name === 'coefficient') return familyOptions.parse({ ...dictionary, [name]: asked / factor });
  const value = Math.min(dictionary.latents, Math.max(1, Math.round(asked * factor)));
  return familyOptions.parse({ ...dictionary, [name]: value });
}
