/** jax-js, loaded when it is first needed, on the best device that this machine has. It must not know what is computed. */
import type * as Jax from '@jax-js/jax';

/** `webgpu` may not be there; `wasm` always is. */
export type ComputeDevice = 'webgpu' | 'wasm';

export interface Compute {
  readonly jax: typeof Jax;
  readonly device: ComputeDevice;
}

/** jax-js with its default device set: `wanted` where it is there, else WebAssembly. */
export async function loadJax(wanted: ComputeDevice): Promise<Compute> {
  const jax = await import('@jax-js/jax');
  // It asks for the adapter only where it is told to: looking for one takes time and may write to the console.
  const there = await jax.init(
    ...(wanted === 'webgpu' ? (['webgpu', 'wasm'] as const) : (['wasm'] as const)),
  );
  const device = there.includes(wanted) ? wanted : 'wasm';
  jax.defaultDevice(device);
  return { jax, device };
}
