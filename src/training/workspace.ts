/**
 * Memory that each step writes anew, kept by name from step to step. A training lends its workspace to one step at a
 * time; trainings that take turns can share one.
 */
import type { Workspace } from '../dictionaries/families/family.ts';
import type { Backend } from '../kernels/backend.ts';

/** Room for what comes is made with so much to spare, since the number of active latents varies. */
const SPARE = 1.25;

export function createWorkspace(backend: Backend): Workspace {
  return {
    floats: keeper((length) => backend.allocate(length)),
    indices: keeper((length) => new Uint32Array(length)),
  };
}

function keeper<T extends Float32Array | Uint32Array>(
  allocate: (length: number) => T,
): (name: string, length: number) => T {
  const arrays = new Map<string, T>();
  return (name, length) => {
    let array = arrays.get(name);
    if (array === undefined || array.length < length) {
      array = allocate(array === undefined ? length : Math.ceil(length * SPARE));
      arrays.set(name, array);
    }
    return array.subarray(0, length) as T;
  };
}
