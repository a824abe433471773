/**
 * Activations as SAELens caches them: a Hugging Face dataset on disk whose rows are contexts of a fixed length, with a
 * column `[context, width]` of floats named after the hook point and the `token_ids [context]`.
 */
import type { ArrowColumn } from '../../formats/arrow.ts';
import { InputError } from '../../formats/errors.ts';
import { readDatasetBatches, readDatasetColumns, writeDataset } from '../../formats/hfDataset.ts';
import type { Tensor } from '../../formats/tensor.ts';
import type { ActivationSource, Progress } from '../source.ts';
import { rowParts } from './rows.ts';
import type { SequentialRows } from './sequential.ts';

const TOKENS = 'token_ids';

/**
 * The dataset's rows at a hook point, which need not be named where there is but one, to be read once from the first on;
 * each context is a sequence, and a document.
 */
export async function openDatasetActivations(path: string, hook?: string): Promise<SequentialRows> {
  const columns = await readDatasetColumns(path);
  const isMatrix = ({ name, dtype, shape }: ArrowColumn) =>
    /^(F|BF)/.test(dtype) && shape.length === 2 && (hook === undefined || name === hook);
  const matrices = columns.filter(isMatrix);
  if (matrices.length !== 1) {
    const found = columns.map(({ name, dtype, shape }) => `${name} (${dtype} [${shape}])`).join(', ');
    throw new InputError(
      `${path}: its columns of numbers are ${found || 'none'}; expected one of floats [context, width] for each hook ` +
        `point, as SAELens caches them, and where there are several the path of one: ${path}/<column>`,
    );
  }
  const [{ name }] = matrices;
  const hasTokens = columns.some((column) => column.name === TOKENS);
  const tokens: Int32Array[] = [];
  let [contexts, length, width] = [0, 0, 0];
  for await (const batch of readDatasetBatches(path, hasTokens ? [name, TOKENS] : [name])) {
    const { shape } = batch.get(name)!;
    if (contexts > 0 && (shape[1] !== length || shape[2] !== width))
      throw new InputError(
        `${path}: contexts of [${shape.slice(1)}] come after those of [${[length, width]}]`,
      );
    [, length, width] = shape;
    contexts += shape[0];
    if (hasTokens) tokens.push(tokensOf(batch.get(TOKENS)!, shape[0] * length, path));
  }
  const rows = contexts * length;
  const labels = {
    sequences: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / length)),
    ...(hasTokens && { tokens: concatenated(tokens, rows) }),
  };
  async function* parts(): AsyncGenerator<Float32Array> {
    for await (const batch of readDatasetBatches(path, [name]))
      yield Float32Array.from(batch.get(name)!.data as Float32Array);
  }
  return { name: path, rows, width, labels, parts };
}

function concatenated(parts: readonly Int32Array[], length: number): Int32Array {
  const whole = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function joined<A extends Float32Array | Int32Array>(a: A, b: A): A {
  const both = new (a.constructor as new (length: number) => A)(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function tokensOf({ dtype, data }: Tensor, count: number, path: string): Int32Array {
  if (data.length !== count || !/^[IU]/.test(dtype))
    throw new InputError(`${path}: ${TOKENS} is ${data.length} of ${dtype}; expected ${count} whole numbers`);
  return Int32Array.from(data as Int32Array, Number);
}

/**
 * Writes the rows of `source` in their order, in contexts as long as its longest sequence, in a column called `hook`.
 * Contexts all have the same length there, so a shorter sequence shares one with the next, and rows at the end that fill
 * none are left out.
 */
export async function writeDatasetActivations(
  path: string,
  source: ActivationSource,
  hook: string,
  onProgress?: Progress,
): Promise<void> {
  const { width } = source;
  let length = 0;
  for (let s = 0; s < source.sequences; s++) length = Math.max(length, source.rowsOf(s));
  async function* batches() {
    let activations: Float32Array = new Float32Array(0);
    let tokens: Int32Array = new Int32Array(0);
    for await (const part of rowParts(source, onProgress)) {
      activations = joined(activations, part.activations);
      tokens = joined(tokens, part.tokens);
      const contexts = Math.floor(tokens.length / length);
      const whole = contexts * length;
      yield new Map<string, Tensor>([
        [hook, { dtype: 'F32', shape: [contexts, length, width], data: activations.slice(0, whole * width) }],
        [TOKENS, { dtype: 'I32', shape: [contexts, length], data: tokens.slice(0, whole) }],
      ]);
      activations = activations.slice(whole * width);
      tokens = tokens.slice(whole);
    }
  }
  const columns = [
    { name: hook, dtype: 'F32' as const, shape: [length, width] },
    { name: TOKENS, dtype: 'I32' as const, shape: [length] },
  ];
  await writeDataset(path, columns, [batches()]);
}
