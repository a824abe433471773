/** What a dictionary sees in a text: for each token the latents that fire, how well they make up the activation, and what comes next. */
import { decode, encode } from '../dictionaries/dictionary.ts';
import { InputError } from '../formats/errors.ts';
import type { SparseRows } from '../kernels/backend.ts';
import { largest, probabilities } from './nextTokens.ts';
import type { Steered } from './steering.ts';

export const FINAL = 'ln_final.hook_normalized';
/** Next tokens that are shown. */
export const SHOWN_TOKENS = 20;

export interface ShownToken {
  readonly id: number;
  readonly text: string;
}

export interface ReadToken extends ShownToken {
  /** How many latents fire; none on BOS, which the dictionary does not read. */
  readonly active: number;
  /** Their magnitudes together. */
  readonly total: number;
  /** Those of the largest magnitude, first. */
  readonly latents: readonly { readonly latent: number; readonly activation: number }[];
  /** `|y - y'|^2 / |y - mean|^2` of this token, the mean being the training part's; null on BOS. */
  readonly fvu: number | null;
}

export interface PromptReading {
  readonly tokens: readonly ReadToken[];
  /** The likeliest tokens after the text. */
  readonly next: readonly (ShownToken & { readonly probability: number })[];
}

/** The tokens of a text with BOS before them. InputError where they do not fit the model's context with `more` to come. */
export function promptTokens({ model, tokenizer }: Steered, text: string, more = 0): Int32Array {
  const tokens = tokenizer.encode(text, { bos: true });
  const { context, name } = model.config;
  if (tokens.length + more > context)
    throw new InputError(
      `text: found ${tokens.length} tokens with BOS${more > 0 ? ` and ${more} to be written` : ''}, expected at most ` +
        `${context}, the context of ${name}; shorten it`,
    );
  return tokens;
}

/** Reads `text`; at most `most` latents are given of each token. */
export async function readPrompt(steered: Steered, text: string, most: number): Promise<PromptReading> {
  const { model, tokenizer, dictionary, mean, input, output } = steered;
  const tokens = promptTokens(steered, text);
  const length = tokens.length;
  const captured = await model.run(tokens, {
    batch: 1,
    length,
    capture: [...new Set([input, output, FINAL])],
  });
  const x = captured.get(input)!.subarray(dictionary.width);
  const y = captured.get(output)!.subarray(dictionary.outputWidth);
  const read = length > 1 ? await readRows(steered, x, y, length - 1) : undefined;
  const final = captured.get(FINAL)!.subarray((length - 1) * model.config.width);
  const next = probabilities(await model.logits(final, 1));
  return {
    tokens: Array.from(tokens, (id, position) => ({
      id,
      text: tokenizer.text(id),
      ...(read !== undefined && position > 0
        ? tokenReading(read, mean, y, position - 1, most)
        : { active: 0, total: 0, latents: [], fvu: null }),
    })),
    next: largest(next, SHOWN_TOKENS).map((id) => ({ id, text: tokenizer.text(id), probability: next[id] })),
  };
}

interface ReadRows {
  readonly codes: SparseRows;
  readonly reconstruction: Float32Array;
}

async function readRows(
  { model, dictionary, output }: Steered,
  x: Float32Array,
  y: Float32Array,
  rows: number,
): Promise<ReadRows> {
  if (!y.every(Number.isFinite))
    throw new InputError(`hook ${output}: an activation is not finite; the model's weights may be damaged`);
  const codes = await encode(model.backend, dictionary, x, rows);
  return { codes, reconstruction: await decode(model.backend, dictionary, codes, x) };
}

function tokenReading(
  { codes, reconstruction }: ReadRows,
  mean: Float32Array,
  y: Float32Array,
  row: number,
  most: number,
) {
  const width = mean.length;
  let [left, variance] = [0, 0];
  for (let c = 0; c < width; c++) {
    left += (y[row * width + c] - reconstruction[row * width + c]) ** 2;
    variance += (y[row * width + c] - mean[c]) ** 2;
  }
  const indices = codes.indices.subarray(codes.offsets[row], codes.offsets[row + 1]);
  const values = codes.values.subarray(codes.offsets[row], codes.offsets[row + 1]);
  const magnitudes = values.map(Math.abs);
  return {
    active: values.length,
    total: magnitudes.reduce((a, b) => a + b, 0),
    latents: largest(magnitudes, most).map((e) => ({ latent: indices[e], activation: values[e] })),
    fvu: variance > 0 ? left / variance : null,
  };
}
