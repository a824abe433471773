/**
 * How much memory a sweep will take, before it takes it: states of all arms and of the nulls trained beside them, what a step writes, and the windows of the
 * stream. Counted from shapes; it must not know how arms are trained.
 */
import { familyOf } from '../dictionaries/families/index.ts';
import { InputError } from '../formats/errors.ts';
import { scaled } from '../report/numbers.ts';
import type { RunConfig } from '../runs/config.ts';
import { siteOf } from '../runs/site.ts';
import { keptGradients } from '../training/gradients.ts';
import { parameterLengths } from '../training/state.ts';
import { nullsOfKind } from './nulls.ts';

export interface SweepMemory {
  /** Parameters and what the optimiser remembers of them, all arms and their trained nulls, in bytes. */
  readonly states: number;
  /** What steps write anew: two arms take one at a time. */
  readonly workspaces: number;
  /** Windows of rows that are shuffled: one in use, one being read, and the pieces that it is read in. */
  readonly windows: number;
}

/** Labels of a row: token, document, sequence, position. */
const LABEL_BYTES = 16;
/** A step writes this many arrays of batch x (d + k) floats; measured in docs/performance.md, with the runtime in it. */
const ARRAYS_OF_A_STEP = 10;

/**
 * Forecasts for arms that are trained in one pass. Widths are of the activations at hook points. `configs` have every
 * `auto` resolved.
 */
export function sweepMemory(
  configs: readonly RunConfig[],
  widthAt: (hooks: readonly string[]) => number,
): SweepMemory {
  const hooks = new Set<string>();
  let [states, workspace, rows] = [0, 0, 0];
  for (const config of configs) {
    const { inputs, outputs } = siteOf(config);
    for (const hook of [...inputs, ...outputs]) hooks.add(hook);
    const family = familyOf(config.dictionary.family);
    const [width, outputWidth] = [widthAt(inputs), widthAt(outputs)];
    const shape = { family, dictionary: config.dictionary, skip: config.target?.skip ?? false };
    const parameters = parameterLengths(shape, width, outputWidth).reduce(
      (sum, [, length]) => sum + length,
      0,
    );
    const copies = config.training.optimiser === 'signum' ? 2 : 3;
    const state = 4 * copies * parameters + 8 * config.dictionary.latents;
    const nulls = nullsOfKind(config, 'trained');
    // A softly frozen decoder is kept as it started too.
    const soft = nulls.filter(({ making }) => making.training.freeze === 'soft-decoder').length;
    states += state * (1 + nulls.length) + 4 * soft * config.dictionary.latents * outputWidth;
    const active = 'k' in config.dictionary ? config.dictionary.k : width;
    const arrays = 4 * ARRAYS_OF_A_STEP * config.training.batch * (width + outputWidth + active);
    const gradients = family.dense
      ? parameters
      : keptGradients(config.dictionary.latents, width, outputWidth);
    workspace = Math.max(workspace, arrays + 4 * gradients);
    rows = Math.max(rows, config.training.windowRows);
  }
  return {
    states,
    workspaces: Math.min(2, configs.length) * workspace,
    windows: 3 * rows * (4 * widthAt([...hooks]) + LABEL_BYTES),
  };
}

/** InputError where the forecast is more than the machine has free; `available` in bytes. */
export function refuseTooLarge({ states, workspaces, windows }: SweepMemory, available: number): void {
  const needed = states + workspaces + windows;
  if (needed <= available) return;
  throw new InputError(
    `the sweep needs about ${scaled(needed)}B of memory (${scaled(states)}B for the arms, ${scaled(workspaces)}B for ` +
      `a step, ${scaled(windows)}B for the stream), and ${scaled(available)}B are free; ` +
      'take fewer arms or latents, a smaller training.windowRows, or --force',
  );
}
