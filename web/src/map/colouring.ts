/** By what points are coloured: a code and a colour for each group of latents, with its name. It must not know where points are. */
import { LATENT_CLASSES } from '../../../src/evaluation/composition/graph.ts';
import { VERDICTS } from '../../../src/evaluation/verdict/verdicts.ts';
import { powerOfTen } from '../../../src/report/numbers.ts';
import { type Judged, type Latents, NO_CODE } from '../features/latents.ts';

export const COLOURINGS = ['verdict', 'class', 'density'] as const;
export type Colouring = (typeof COLOURINGS)[number];

export interface Group {
  readonly name: string;
  /** As a style sheet has it, for light and dark. */
  readonly colour: string;
}

export interface Coloured {
  readonly groups: readonly Group[];
  /** The group of each latent, row by row. */
  readonly codes: Uint8Array;
}

const UNKNOWN: Group = { name: 'unknown', colour: 'light-dark(#b5b0a4, #57534a)' };
const OF_VERDICT: Record<(typeof VERDICTS)[number], string> = {
  supported: 'light-dark(#1e7a4a, #6fd3a0)',
  unsupported: 'light-dark(#a8324a, #e58a9b)',
  undecided: 'light-dark(#8b93a1, #8a93a5)',
};
/** In the order of the classes. */
const OF_CLASS = [
  'light-dark(#c9c4b8, #4c4941)',
  'light-dark(#a59f90, #6e695e)',
  'light-dark(#5d574a, #b8b2a3)',
  'light-dark(#7b3fa0, #c79be6)',
  'light-dark(#c26a12, #f0a75a)',
  'light-dark(#b02a6b, #f28cbc)',
  'light-dark(#1d6fb8, #7fbcf2)',
  'light-dark(#0f7f86, #66cbd1)',
  'light-dark(#3c7d2e, #9bd18a)',
];
/** Of densities by decade, from one in a million on; those below, and latents that never fire, are the first. */
const OF_DENSITY = [
  'light-dark(#c9c4b8, #4c4941)',
  'light-dark(#c9b6dd, #5b4a86)',
  'light-dark(#a48fd0, #6f66b4)',
  'light-dark(#6f74bf, #6f8fce)',
  'light-dark(#33669f, #6fb8d6)',
  'light-dark(#0f4d6e, #a3dfd6)',
  'light-dark(#0a2f3a, #e4f7d8)',
];

/** The colourings that there is something to say by. */
export function colouringsOf(judged: Judged): Colouring[] {
  return COLOURINGS.filter(
    (one) => one === 'density' || (one === 'verdict' ? judged.verdict : judged.latentClass) !== undefined,
  );
}

export function coloured(by: Colouring, latents: Latents, judged: Judged): Coloured {
  if (by === 'density') {
    const first = -6;
    const groups = OF_DENSITY.map((colour, i) => ({
      name: i === 0 ? `below ${powerOfTen(first)}` : `from ${powerOfTen(first + i - 1)}`,
      colour,
    }));
    const codes = Uint8Array.from(latents.density, (density) =>
      Math.max(0, Math.min(groups.length - 1, Math.floor(Math.log10(density)) - first + 1)),
    );
    return { groups, codes };
  }
  const groups: Group[] =
    by === 'verdict'
      ? VERDICTS.map((name) => ({ name, colour: OF_VERDICT[name] }))
      : LATENT_CLASSES.map((name, i) => ({ name, colour: OF_CLASS[i] }));
  const known =
    (by === 'verdict' ? judged.verdict : judged.latentClass) ?? new Uint8Array(latents.count).fill(NO_CODE);
  const codes = known.map((code) => (code === NO_CODE ? groups.length : code));
  return { groups: codes.includes(groups.length) ? [...groups, UNKNOWN] : groups, codes };
}
