/** Chooses the connector: the native addon where it was built, the reference backend where it was not. */
import type { Backend } from './backend.ts';
import { createNativeBackend, nativeProblem } from './native.ts';
import { createReferenceBackend } from './reference.ts';

/**
 * The fastest backend that this machine has. `MONOSEM_BACKEND=reference` asks for plain TypeScript.
 * Callers that show anything to a person should show `backend.name` and `instructionSet`.
 */
export function loadBackend(options: { threads?: number } = {}): Backend {
  if (process.env.MONOSEM_BACKEND === 'reference' || nativeProblem() !== undefined) {
    return createReferenceBackend();
  }
  return createNativeBackend(options);
}
