/**
 * The reference backend: every operation in plain TypeScript, in float64, written for the eye. It is the oracle
 * that the native kernels are tested against, and what serves where the addon could not be built.
 */
import type { Backend } from './backend.ts';
import { softmaxes } from './reference/attention.ts';
import { dense } from './reference/dense.ts';
import { parameters } from './reference/parameters.ts';
import { sparse } from './reference/sparse.ts';

/** One thread, no addon, tens to hundreds of times slower than `native.ts`. */
export function createReferenceBackend(): Backend {
  return {
    name: 'reference',
    instructionSet: 'javascript',
    threads: 1,
    ...dense,
    ...softmaxes,
    ...sparse,
    ...parameters,
  };
}
