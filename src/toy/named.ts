/** The built-in worlds, by name. It must not know what any of them is like. */

import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Distribution } from './distribution.ts';
import { gaplessToy } from './gapless.ts';
import { nabeshimaTree } from './nabeshima.ts';
import { decayingNoise, isotropicNoise } from './noise.ts';
import { orthogonalToy } from './orthogonal.ts';
import { regimesToy } from './regimes.ts';
import { SYNTH_SAE_BENCH_1K, SYNTH_SAE_BENCH_16K, synthSaeBench } from './synthSaeBench.ts';

/** Of the worlds that could have any. */
const WIDTH = 100;

type Make = (backend: Backend, seed: number) => Distribution | Promise<Distribution>;

const WORLDS: Record<string, Make> = {
  orthogonal: (_, seed) => orthogonalToy(seed),
  'nabeshima-tree': (_, seed) => nabeshimaTree(seed),
  'synth-sae-bench-1k': (backend, seed) => synthSaeBench(backend, SYNTH_SAE_BENCH_1K, seed),
  'synth-sae-bench-16k': (backend, seed) => synthSaeBench(backend, SYNTH_SAE_BENCH_16K, seed),
  gapless: (_, seed) => gaplessToy(seed),
  regimes: (_, seed) => regimesToy(seed),
  'isotropic-noise': (_, seed) => isotropicNoise(WIDTH, seed),
  'decaying-noise': (_, seed) => decayingNoise(WIDTH, seed),
};

/** What `namedDistribution` knows. */
export const WORLD_NAMES: readonly string[] = Object.keys(WORLDS);

/** The world of a name and a seed. InputError where there is none of that name. */
export async function namedDistribution(backend: Backend, name: string, seed: number): Promise<Distribution> {
  if (!Object.hasOwn(WORLDS, name))
    throw new InputError(`the world "${name}" is not known; expected one of ${WORLD_NAMES.join(', ')}`);
  return WORLDS[name](backend, seed);
}
