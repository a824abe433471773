/** What the page asks of the worker, and what it is told. It must not know how either is done. */
import type { DictionaryProgress } from './dictionaryRun.ts';
import type { Level } from './gridRun.ts';
import type { Strategy } from './phase.ts';
import type { PlaygroundState } from './state.ts';
import type { ToySnapshot } from './toyRun.ts';

/** Each request ends the one before; `toy` goes on with the same models where it can. */
export type Request = { readonly id: number } & (
  | { readonly kind: 'toy'; readonly state: PlaygroundState }
  | { readonly kind: 'dictionary'; readonly state: PlaygroundState; readonly weight: Float32Array }
  | { readonly kind: 'phase'; readonly state: PlaygroundState }
  | { readonly kind: 'levels'; readonly state: PlaygroundState }
  | { readonly kind: 'stop' }
);

interface GridProgress<Result> {
  readonly step: number;
  readonly steps: number;
  readonly result?: Result;
}

/** `id` is that of the request that it answers. */
export type Report = { readonly id: number } & (
  | { readonly kind: 'toy'; readonly snapshot: ToySnapshot }
  | { readonly kind: 'dictionary'; readonly progress: DictionaryProgress }
  | { readonly kind: 'phase'; readonly progress: GridProgress<Strategy[]> }
  | { readonly kind: 'levels'; readonly progress: GridProgress<Level[]> }
  | { readonly kind: 'failed'; readonly message: string }
);
