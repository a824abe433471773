/**
 * The reference backend: every operation in plain TypeScript, in float64, written for the eye. It is the oracle
 * that the native kernels are tested against, and what serves where the addon could not be built.
 */
import type { Backend } from './backend.ts';
import { attention } from './reference/attention.ts';
import { decoderBlocks } from './reference/decoderBlocks.ts';
import { decoderStep } from './reference/decoderStep.ts';
import { dense } from './reference/dense.ts';
import { firings } from './reference/firings.ts';
import { rows } from './reference/rows.ts';
import { sparse } from './reference/sparse.ts';
import { toyModels } from './reference/toyModels.ts';
import { training } from './reference/training.ts';
import { unembed } from './reference/unembed.ts';

/** One thread, no addon, tens to hundreds of times slower than `native.ts`. */
export function createReferenceBackend(): Backend {
  return {
    name: 'reference',
    instructionSet: 'javascript',
    threads: 1,
    fastestPrecision: 'fp32',
    ...letTurn({
      ...dense,
      ...attention,
      ...unembed,
      ...sparse,
      ...rows,
      ...training,
      ...toyModels,
      decoderBlocks,
      ...decoderStep,
      ...firings,
    }),
  };
}

/** Milliseconds after which other work of the process, a signal say, gets its turn. */
const TURN = 50;

/** The same operations, letting the event loop turn between two of them now and then. */
function letTurn<T extends object>(operations: T): T {
  let last = performance.now();
  const yielding = Object.entries(operations).map(([name, operation]) => {
    if (['pack', 'allocate', 'createCache'].includes(name)) return [name, operation];
    return [
      name,
      async (...operands: unknown[]) => {
        if (performance.now() - last > TURN) {
          await new Promise((resolve) => setImmediate(resolve));
          last = performance.now();
        }
        return operation(...operands);
      },
    ];
  });
  return Object.fromEntries(yielding);
}
