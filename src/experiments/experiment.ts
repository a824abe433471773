/**
 * What an experiment is: one claim, the prediction that it makes, and how it is put to the test. Each stands in a file of
 * this folder. It must not know of files, nor of whoever watches.
 */
import type { Backend } from '../kernels/backend.ts';
import type { Figure, Finding, Verdict } from '../runs/entrySchema.ts';

export interface Context {
  readonly backend: Backend;
  /** A reduced size, for a first look and for tests: the question is the same, the intervals are wider. */
  readonly quick: boolean;
  readonly seed: number;
  /** How far it has come; throws where it is to stop. */
  readonly update: (done: number, total: number) => void;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly figures: readonly Figure[];
  readonly verdict: Verdict;
  readonly because: string;
}

export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** What is held to be true. */
  readonly claim: string;
  /** What will be seen if it is, in numbers; written before the first run, and not changed after it. */
  readonly prediction: string;
  /** Whose claim, and where. */
  readonly source: string;
  /** About how long it takes on one thread, at its full size. */
  readonly minutes: number;
  run(context: Context): Promise<Outcome>;
}
