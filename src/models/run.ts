/**
 * Drives the forward pass: captures activations, edits them, and stops at the last one that was asked for.
 * It must not know how any activation is computed.
 */

import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { forward } from './forward.ts';
import { checkHook, hookOrder, isResidual } from './hooks.ts';
import type { PackedTransformer } from './packing.ts';

/**
 * Changes an activation in place: flat `[batch, length, width]`, or `[batch, heads, length, length]` for scores
 * and patterns, whose `width` is the number of heads. What comes after is computed from what it leaves.
 */
export type Edit = (
  activation: Float32Array,
  point: { name: string; batch: number; length: number; width: number },
) => void | Promise<void>;

export interface RunOptions {
  readonly batch: number;
  readonly length: number;
  /** Hook points to give back, as they are after any edit. */
  readonly capture?: readonly string[];
  /** The last hook point to compute; where absent, the last captured one. */
  readonly stopAt?: string;
  readonly edit?: Readonly<Record<string, Edit>>;
  /** Begins at a `hook_resid_pre`, `hook_resid_mid` or `hook_resid_post` with this activation `[batch, length, d]`. */
  readonly from?: { readonly hook: string; readonly activation: Float32Array };
}

/**
 * One run of the model on `tokens [batch * length]`; the captured activations by name, in arrays that are the
 * caller's. InputError where a hook point does not exist or is not part of the run, or a token or the length
 * does not fit the model; RangeError where an array's length does not fit `batch` and `length`.
 */
export async function runForward(
  backend: Backend,
  model: PackedTransformer,
  tokens: Int32Array,
  options: RunOptions,
): Promise<Map<string, Float32Array>> {
  const { batch, length, capture = [], edit = {}, from } = options;
  const order = hookOrder(model.config);
  const last = lastHook(model, options, order);
  checkTokens(model, tokens, batch, length);
  if (from !== undefined && from.activation.length !== tokens.length * model.config.width) {
    throw new RangeError(
      `from.activation: ${from.activation.length} values, expected ${tokens.length * model.config.width}`,
    );
  }
  const captured = new Map<string, Float32Array>();
  if (last === undefined) return captured;

  const halts = forward(backend, model, {
    tokens,
    batch,
    length,
    from: from && { order: order.get(from.hook)!, activation: from.activation },
    order,
    isWanted: (name) => name === last || name in edit || capture.includes(name),
    isEdited: (name) => name in edit,
  });
  for await (const { name, activation, width } of halts) {
    await edit[name]?.(activation, { name, batch, length, width });
    // Nothing follows the last one that could change it.
    if (capture.includes(name)) captured.set(name, name === last ? activation : activation.slice());
    if (name === last) break;
  }
  return captured;
}

/** The hook point to stop at, after all of them were checked; undefined where nothing is asked for. */
function lastHook(
  { config }: PackedTransformer,
  { capture = [], stopAt, edit = {}, from }: RunOptions,
  order: ReadonlyMap<string, number>,
): string | undefined {
  const named = [...capture, ...Object.keys(edit)];
  for (const name of named) checkHook(config, name);
  if (stopAt !== undefined) checkHook(config, stopAt);
  const later = (a: string, b: string): string => (order.get(a)! >= order.get(b)! ? a : b);
  const last = stopAt ?? (capture.length > 0 ? capture.reduce(later) : undefined);
  if (last === undefined && named.length === 0) return undefined;
  if (last === undefined) {
    throw new InputError(`hook ${named[0]}: it is edited, but nothing is captured; capture a later one`);
  }
  for (const name of named) {
    if (order.get(name)! > order.get(last)!) {
      throw new InputError(`hook ${name}: it comes after ${last}, where the run ends; choose a later end`);
    }
  }
  if (from !== undefined) {
    checkHook(config, from.hook);
    if (!isResidual(from.hook)) {
      throw new InputError(
        `hook ${from.hook}: a run begins at a hook_resid_pre, hook_resid_mid or hook_resid_post; choose one`,
      );
    }
    for (const name of [...named, last]) {
      if (order.get(name)! < order.get(from.hook)!) {
        throw new InputError(`hook ${name}: it comes before ${from.hook}, where the run begins`);
      }
    }
  }
  return last;
}

/** RangeError or InputError where the tokens cannot be a batch of the model's sequences. */
export function checkTokens(
  { config }: PackedTransformer,
  tokens: Int32Array,
  batch: number,
  length: number,
): void {
  if (!(batch >= 1 && length >= 1) || tokens.length !== batch * length) {
    throw new RangeError(`tokens: ${tokens.length} values, expected a batch of ${batch} times ${length}`);
  }
  if (length > config.context) {
    throw new InputError(
      `a sequence has ${length} tokens; model ${config.name} takes ${config.context}; shorten it`,
    );
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token < 0 || token >= config.vocabulary) {
      throw new InputError(
        `token ${token} at position ${i % length} of sequence ${Math.floor(i / length)}: model ${config.name} ` +
          `has the tokens 0 to ${config.vocabulary - 1}; use its own tokenizer`,
      );
    }
  }
}
