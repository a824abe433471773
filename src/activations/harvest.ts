/**
 * Activations straight from a model reading a corpus, at one hook point or at several beside each other. The model is
 * run anew for each read, so nothing is kept. It must not know what the activations are used for.
 *
 * Position 0 is left out: BOS is an attention sink there, with activations tens of times larger than all others
 * and the same in every sequence (Xiao et al., "Efficient streaming language models with attention sinks", 2023).
 */

import { InputError } from '../formats/errors.ts';
import { firstNonFinite } from '../math/finite.ts';
import { hookNames, hookWidth, isPattern } from '../models/hooks.ts';
import type { Transformer } from '../models/transformer.ts';
import { type Corpus, sequence, sequenceCount } from './corpus.ts';
import { type ActivationRows, type ActivationSource, allocateRows, checkSequences } from './source.ts';

/** Sequences in one run of the model. */
const BATCH = 16;

/**
 * The source whose sequence i is the corpus's sequence `sequenceIndices[i]`, position 0 left out;
 * `ActivationRows.sequences` holds the corpus's index. Activations of several hook points stand beside each other in a
 * row, in the order given. InputError where the hook point is not one with a row for
 * each token, where a sequence is longer than the model's context, or, on reading, where an activation is NaN
 * or infinite: it names the hook point, the sequence and the position.
 */
export function modelSource(
  model: Transformer,
  corpus: Corpus,
  sequenceIndices: ArrayLike<number>,
  hook: string | readonly string[],
): ActivationSource {
  const hooks = [hook].flat();
  hooks.forEach(refusePattern);
  const widths = hooks.map((name) => hookWidth(model.config, name));
  const width = widths.reduce((sum, each) => sum + each, 0);
  const order = hookNames(model.config);
  const last = hooks.reduce((a, b) => (order.indexOf(a) > order.indexOf(b) ? a : b));
  const indices = Uint32Array.from(sequenceIndices);
  checkSequences(indices, sequenceCount(corpus));
  const lengthOf = (s: number): number => corpus.offsets[indices[s] + 1] - corpus.offsets[indices[s]];
  let totalRows = 0;
  for (let s = 0; s < indices.length; s++) {
    if (lengthOf(s) > model.config.context) {
      throw new InputError(
        `corpus ${corpus.name}: sequence ${indices[s]} has ${lengthOf(s)} tokens, ` +
          `model ${model.config.name} takes ${model.config.context}; choose a smaller context`,
      );
    }
    totalRows += lengthOf(s) - 1;
  }

  /** Runs the model on some sequences and puts their rows at `starts` of `result`. */
  async function harvest(batch: readonly number[], starts: readonly number[], result: ActivationRows) {
    const length = Math.max(...batch.map(lengthOf));
    const tokens = new Int32Array(batch.length * length).fill(model.config.bos);
    batch.forEach((s, b) => {
      tokens.set(sequence(corpus, indices[s]), b * length);
    });
    const captured = await model.run(tokens, {
      batch: batch.length,
      length,
      capture: [...new Set(hooks)],
      stopAt: last,
    });
    const activations = hooks.map((name) => captured.get(name)!);
    batch.forEach((s, b) => {
      const rows = lengthOf(s) - 1;
      const at = starts[b];
      const row = b * length + 1;
      placeBeside(activations, widths, row, rows, result.activations.subarray(at * width));
      result.tokens.set(sequence(corpus, indices[s]).subarray(1), at);
      result.documents.fill(corpus.documents[indices[s]], at, at + rows);
      result.sequences.fill(indices[s], at, at + rows);
      for (let row = 0; row < rows; row++) result.positions[at + row] = row + 1;
    });
  }

  return {
    width,
    sequences: indices.length,
    totalRows,
    rowsOf: (s) => lengthOf(s) - 1,
    documentOf: (s) => corpus.documents[indices[s]],
    async read(asked) {
      checkSequences(asked, indices.length);
      const wanted = Array.from(asked);
      const starts: number[] = [];
      let rows = 0;
      for (const s of wanted) {
        starts.push(rows);
        rows += lengthOf(s) - 1;
      }
      const result = allocateRows(rows, width);
      // Sequences of like length share a run, so that little is spent on padding.
      const byLength = [...wanted.keys()].sort((a, b) => lengthOf(wanted[b]) - lengthOf(wanted[a]) || a - b);
      for (let i = 0; i < byLength.length; i += BATCH) {
        const places = byLength.slice(i, i + BATCH);
        await harvest(
          places.map((place) => wanted[place]),
          places.map((place) => starts[place]),
          result,
        );
      }
      // One sum over all of it is quicker than a look at each value, which is needed only where the sum is not finite.
      if (!Number.isFinite(await model.backend.sumOfSquares(result.activations))) {
        refuseNonFinite(result, width, hooks.join('+'));
      }
      return result;
    },
  };
}

function refusePattern(hook: string): void {
  if (!isPattern(hook)) return;
  throw new InputError(
    `hook ${hook}: it has a value for each pair of tokens, not a row for each token; choose another, ` +
      `for example ${hook.replace(/attn\..*/, 'hook_resid_post')}`,
  );
}

/** Copies `rows` rows from row `first` on of each matrix, of these widths, beside each other to the start of `to`. */
function placeBeside(
  matrices: readonly Float32Array[],
  widths: readonly number[],
  first: number,
  rows: number,
  to: Float32Array,
): void {
  if (matrices.length === 1) {
    to.set(matrices[0].subarray(first * widths[0], (first + rows) * widths[0]));
    return;
  }
  let at = 0;
  for (let row = first; row < first + rows; row++) {
    for (const [i, matrix] of matrices.entries()) {
      to.set(matrix.subarray(row * widths[i], (row + 1) * widths[i]), at);
      at += widths[i];
    }
  }
}

function refuseNonFinite(rows: ActivationRows, width: number, hook: string): void {
  const bad = firstNonFinite(rows.activations);
  if (bad < 0) return;
  const row = Math.floor(bad / width);
  throw new InputError(
    `hook ${hook}: the activation at sequence ${rows.sequences[row]}, position ${rows.positions[row]} ` +
      `is ${rows.activations[bad]}, not finite; the model's weights may be damaged`,
  );
}
