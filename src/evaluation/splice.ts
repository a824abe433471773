/**
 * Runs a model over sequences with and without a dictionary in the place of its activations, and sums what the
 * metrics need. The first position of a sequence (BOS, the attention sink) is neither encoded nor replaced.
 */
import { type Corpus, sequence } from '../activations/corpus.ts';
import { type Dictionary, decode, encode } from '../dictionaries/dictionary.ts';
import { hookWidth } from '../models/hooks.ts';
import type { Transformer } from '../models/transformer.ts';
import { addReconstructions, emptySums, type GroupSums, MAX_GROUPS, type Variant } from './sums.ts';

export interface SpliceRequest {
  readonly model: Transformer;
  /** The hook points that the dictionaries read, beside each other, and those that they predict and are put in for. */
  readonly site: { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  readonly corpus: Corpus;
  /** Sequences to run over, ascending. */
  readonly sequences: Uint32Array;
  /** Evaluated side by side: the model runs once for all of them. */
  readonly dictionaries: Readonly<Record<string, Dictionary>>;
  /** Mean of what is predicted `[outputWidth]`, from the training split: what mean ablation puts in. */
  readonly mean: Float32Array;
  readonly onProgress?: (done: number, total: number) => void;
}

const FINAL = 'ln_final.hook_normalized';
const BATCH = 16;

/** The sums of each dictionary, and how many documents they are from. */
export async function spliceAll(
  request: SpliceRequest,
): Promise<{ sums: Record<string, GroupSums>; documents: number }> {
  const { corpus, sequences, dictionaries, mean } = request;
  const groupOf = groupDocuments(corpus, sequences);
  const groups = Math.min(MAX_GROUPS, groupOf.size);
  const sums = Object.fromEntries(
    Object.entries(dictionaries).map(([name, { latents }]) => [
      name,
      emptySums(groups, mean.length, latents),
    ]),
  );
  for (let first = 0; first < sequences.length; first += BATCH) {
    const chosen = sequences.subarray(first, first + BATCH);
    const batch = gather(corpus, chosen, (document) => groupOf.get(document)!);
    await addBatch(request, batch, sums);
    request.onProgress?.(Math.min(first + BATCH, sequences.length), sequences.length);
  }
  return { sums, documents: groupOf.size };
}

/** Documents in the order met, dealt out to at most `MAX_GROUPS` groups. */
function groupDocuments(corpus: Corpus, sequences: Uint32Array): Map<number, number> {
  const groups = new Map<number, number>();
  for (const s of sequences) {
    const document = corpus.documents[s];
    if (!groups.has(document)) groups.set(document, groups.size % MAX_GROUPS);
  }
  return groups;
}

interface Batch {
  /** `[size * length]`, padded at the right: attention is causal, so padding changes nothing before it. */
  readonly tokens: Int32Array;
  readonly size: number;
  readonly length: number;
  /** Rows of `[size * length]` that are encoded: every token but the first of each sequence and the padding. */
  readonly rows: Uint32Array;
  readonly rowGroups: Uint32Array;
  /** Rows whose next token is known, and that token. */
  readonly predicted: Uint32Array;
  readonly targets: Int32Array;
  readonly predictedGroups: Uint32Array;
}

function gather(corpus: Corpus, chosen: Uint32Array, groupOf: (document: number) => number): Batch {
  const texts = Array.from(chosen, (s) => sequence(corpus, s));
  const length = Math.max(...texts.map((text) => text.length));
  const tokens = new Int32Array(texts.length * length);
  const [rows, rowGroups, predicted, targets, predictedGroups]: number[][] = [[], [], [], [], []];
  texts.forEach((text, b) => {
    tokens.set(text, b * length);
    const group = groupOf(corpus.documents[chosen[b]]);
    for (let t = 0; t < text.length; t++) {
      if (t > 0) {
        rows.push(b * length + t);
        rowGroups.push(group);
      }
      if (t + 1 < text.length) {
        predicted.push(b * length + t);
        targets.push(text[t + 1]);
        predictedGroups.push(group);
      }
    }
  });
  return {
    tokens,
    size: texts.length,
    length,
    rows: Uint32Array.from(rows),
    rowGroups: Uint32Array.from(rowGroups),
    predicted: Uint32Array.from(predicted),
    targets: Int32Array.from(targets),
    predictedGroups: Uint32Array.from(predictedGroups),
  };
}

async function addBatch(
  request: SpliceRequest,
  batch: Batch,
  sums: Record<string, GroupSums>,
): Promise<void> {
  const { model, site, dictionaries, mean } = request;
  const width = mean.length;
  const { backend } = model;
  const rows = batch.rows.length;
  const shape = { batch: batch.size, length: batch.length };
  const before = blockBefore(site.outputs);
  const clean = await model.run(batch.tokens, {
    ...shape,
    capture: [...new Set([...site.inputs, ...site.outputs, FINAL, ...(before ? [before] : [])])],
  });
  const cleanFinal = pick(clean.get(FINAL)!, batch.predicted, model.config.width);
  const rowsAt = (hooks: readonly string[]) =>
    beside(
      hooks.map((hook) => pick(clean.get(hook)!, batch.rows, hookWidth(model.config, hook))),
      rows,
    );
  const x = rowsAt(site.inputs);
  const y = site.inputs === site.outputs ? x : rowsAt(site.outputs);

  /** Final activations of the predicted rows, with `replacement [rows, width]` at what is predicted. */
  const finalWith = async (replacement: Float32Array | null): Promise<Float32Array> => {
    let start = 0;
    const edits = site.outputs.map((hook) => {
      const [own, at] = [hookWidth(model.config, hook), start];
      start += own;
      const edit = (activation: Float32Array) => {
        batch.rows.forEach((row, i) => {
          if (replacement)
            activation.set(replacement.subarray(i * width + at, i * width + at + own), row * own);
          else activation.fill(0, row * own, (row + 1) * own);
        });
      };
      return [hook, edit] as const;
    });
    const from = before ? { hook: before, activation: clean.get(before)! } : undefined;
    const result = await model.run(batch.tokens, {
      ...shape,
      capture: [FINAL],
      edit: Object.fromEntries(edits),
      from,
    });
    return pick(result.get(FINAL)!, batch.predicted, model.config.width);
  };
  const repeated = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) repeated.set(mean, r * width);
  const predictions = batch.predicted.length;
  const crossEntropyOf = async (final: Float32Array) => model.crossEntropy(final, predictions, batch.targets);
  const shared: Partial<Record<Variant, Float32Array>> = {
    model: await crossEntropyOf(cleanFinal),
    zero: await crossEntropyOf(await finalWith(null)),
    mean: await crossEntropyOf(await finalWith(repeated)),
  };

  for (const [name, dictionary] of Object.entries(dictionaries)) {
    const total = sums[name];
    const codes = await encode(backend, dictionary, x, rows);
    const output = await decode(backend, dictionary, codes, x);
    const spliced = await model.compare(cleanFinal, await finalWith(output), predictions, batch.targets);
    for (let i = 0; i < predictions; i++) {
      const group = batch.predictedGroups[i];
      total.predictions[group] += 1;
      total.kl[group] += spliced.kl[i];
      total.crossEntropy.spliced[group] += spliced.crossEntropy[i];
      for (const variant of ['model', 'zero', 'mean'] as const) {
        total.crossEntropy[variant][group] += shared[variant]![i];
      }
    }
    addReconstructions(total, y, output, codes, batch.rowGroups);
  }
}

/** The residual stream before the first block that any of the hook points is in, where all are in blocks. */
export function blockBefore(hooks: readonly string[]): string | undefined {
  const blocks = hooks.map((hook) => /^blocks\.(\d+)\./.exec(hook)?.[1]);
  if (blocks.includes(undefined)) return undefined;
  return `blocks.${Math.min(...blocks.map(Number))}.hook_resid_pre`;
}

/** Matrices of as many rows beside each other. */
function beside(matrices: readonly Float32Array[], rows: number): Float32Array {
  if (matrices.length === 1) return matrices[0];
  const widths = matrices.map((matrix) => matrix.length / rows);
  const out = new Float32Array(matrices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let r = 0; r < rows; r++) {
    for (const [i, matrix] of matrices.entries()) {
      out.set(matrix.subarray(r * widths[i], (r + 1) * widths[i]), at);
      at += widths[i];
    }
  }
  return out;
}

function pick(activation: Float32Array, rows: Uint32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries())
    out.set(activation.subarray(row * width, (row + 1) * width), i * width);
  return out;
}
