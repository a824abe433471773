/**
 * The prompt lab of a run: its model, tokenizer and dictionary, loaded once, and asked any number of times what the
 * dictionary sees in a text and what the model makes of edits. It must not know who asks.
 */
import { InputError } from '../formats/errors.ts';
import { type ContinuationOptions, continuePrompt } from '../interpretation/continuation.ts';
import { editEffect } from '../interpretation/editEffect.ts';
import type { LatentEdit } from '../interpretation/latentEdits.ts';
import { type PromptReading, readPrompt } from '../interpretation/promptReading.ts';
import type { Steered } from '../interpretation/steering.ts';
import { checkHook, hookOrder, hookWidth, isPattern } from '../models/hooks.ts';
import { loadModel } from '../models/registry.ts';
import { readRun } from '../runs/directory.ts';
import { siteOf } from '../runs/site.ts';
import { readLearned } from './learn.ts';
import { precisionOf, type Workbench } from './subject.ts';

export interface Lab {
  /** What the dictionary sees in a text: of each token at most `most` latents, those of the largest magnitude. */
  read(text: string, options?: { most?: number }): Promise<PromptReading>;
  /** What `edits` do to the prediction after the token at `position`, the last one where not given. */
  effect(
    text: string,
    edits: readonly LatentEdit[],
    options?: { position?: number },
  ): ReturnType<typeof editEffect>;
  /** The text gone on with, plain and edited. */
  continue(
    text: string,
    edits: readonly LatentEdit[],
    options: ContinuationOptions,
  ): ReturnType<typeof continuePrompt>;
}

const MOST_LATENTS = 64;

/**
 * Opens the lab of the run in `directory`. InputError where the run has no dictionary yet, reads a file of activations, behind
 * which there is no model, or reads several hook points; and of each question where it cannot be answered.
 */
export async function openLab(bench: Pick<Workbench, 'backend'>, directory: string): Promise<Lab> {
  const { config } = await readRun(directory);
  if (config.activations !== undefined)
    throw new InputError(
      `${directory}: the dictionary reads a file of activations, ${config.activations}, and the lab needs a model that can be ` +
        'run; choose a run of a model',
    );
  const { inputs, outputs } = siteOf(config);
  if (inputs.length > 1)
    throw new InputError(
      `${directory}: the dictionary reads ${inputs.length} hook points; the lab edits at one, since what is changed at the ` +
        'first flows into the others; choose a run of one hook point',
    );
  const { backend } = bench;
  const { dictionary, mean } = await readLearned(directory);
  const { model, tokenizer } = await loadModel(config.model, backend, {
    precision: precisionOf(backend, config),
  });
  const steered: Steered = {
    model,
    tokenizer,
    dictionary,
    mean,
    input: inputs[0],
    output: outputs[0],
    seed: config.seed,
  };
  checkPlace(steered, directory);
  return {
    read: (text, { most = MOST_LATENTS } = {}) => readPrompt(steered, text, most),
    effect: (text, edits, { position } = {}) => editEffect(steered, text, edits, position),
    continue: (text, edits, options) => continuePrompt(steered, text, edits, options),
  };
}

/** InputError where the dictionary does not fit its hook points, or they are not in an order in which it can be edited. */
function checkPlace({ model, dictionary, input, output }: Steered, directory: string): void {
  const { config } = model;
  for (const [hook, width] of [
    [input, dictionary.width],
    [output, dictionary.outputWidth],
  ] as const) {
    checkHook(config, hook);
    if (isPattern(hook) || hookWidth(config, hook) !== width)
      throw new InputError(
        `${directory}: the dictionary is ${width} wide, ${hook} of ${config.name} is ${hookWidth(config, hook)}; ` +
          'the files of the run do not belong together',
      );
  }
  const order = hookOrder(config);
  if (order.get(input)! > order.get(output)!)
    throw new InputError(
      `${directory}: the transcoder reads ${input}, which comes after ${output}; the lab edits what comes at or after what ` +
        'is read, so that codes depend on the text alone',
    );
}
