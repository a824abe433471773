/**
 * Memory that each step writes anew, kept by name from step to step. A training lends its workspace to one step at a
 * time; trainings that take turns can share one.
 */
import type { Workspace } from '../dictionaries/families/family.ts';
import type { Backend } from '../kernels/backend.ts';

/** Room for what comes is made with so much to spare, since the number of active latents varies. */
const SPARE = 1.25;

export function createWorkspace(backend: Backend): Workspace {
  const arrays = new Map<string, Float32Array>();
  return {
    floats(name, length) {
      let array = arrays.get(name);
      if (array === undefined || array.length < length) {
        array = backend.allocate(array === undefined ? length : Math.ceil(length * SPARE));
        arrays.set(name, array);
      }
      return array.subarray(0, length);
    },
  };
}
