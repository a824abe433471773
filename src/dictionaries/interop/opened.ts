/** What every reader of a peer's files gives. It must not know any one format. */
import * as z from 'zod';
import type { Dictionary } from '../dictionary.ts';

export const FORMATS = [
  'saelens',
  'dictionary-learning',
  'sparsify',
  'gemma-scope',
  'openai',
  'circuit-tracer',
] as const;

export type Format = (typeof FORMATS)[number];

/** A dictionary from a peer's files. Its `encode` and `decode` give what the peer's own give. */
export interface Opened {
  readonly format: Format;
  /** In the peer's own word: SAELens' `jumprelu`, dictionary_learning's `BatchTopKSAE`. */
  readonly architecture: string;
  readonly dictionary: Dictionary;
  /** What the files say about where it belongs, in SAELens' names where they have one for it. */
  readonly metadata: Record<string, unknown>;
  /** What a person should know who uses it. */
  readonly notes: readonly string[];
}

/** A size in a configuration: it is compared with the tensors' before it counts for anything. */
export const size = z.int().positive();
