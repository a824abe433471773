/**
 * From edits of latents to what they move in the model's activations, with the reconstruction's error left in:
 * `y' = y + decode(edited codes) - decode(codes)`; and the null of it, random directions in the place of the latents' own.
 * Codes depend on the text alone, as nothing that is edited at a hook point flows back to it.
 */
import { type Dictionary, decodeChange, encode } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import type { Random } from '../math/random.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import type { Transformer } from '../models/transformer.ts';
import { randomDirections } from '../toy/directions.ts';
import { codeChanges, type LatentEdit } from './latentEdits.ts';

/** A dictionary in its place in a model: it reads `input` and predicts `output`, which are the same but for a transcoder. */
export interface Steered {
  readonly model: Transformer;
  readonly tokenizer: Tokenizer;
  readonly dictionary: Dictionary;
  /** Mean of what is predicted over the training part, `[outputWidth]`. */
  readonly mean: Float32Array;
  readonly input: string;
  readonly output: string;
  /** Random directions follow from it. */
  readonly seed: number;
}

/** What edits change at tokens in a row. */
export interface Moves {
  /** Of the codes. */
  readonly codes: SparseRows;
  /** Of what the dictionary predicts, `[rows, outputWidth]`. */
  readonly output: Float32Array;
}

/** What `edits` move at the tokens from position `first` on, where the dictionary reads `x [rows, width]`. */
export async function movesOf(
  backend: Backend,
  dictionary: Dictionary,
  x: Float32Array,
  first: number,
  edits: readonly LatentEdit[],
): Promise<Moves> {
  const rows = x.length / dictionary.width;
  const codes =
    rows === 0 || edits.length === 0
      ? noChange(rows)
      : codeChanges(await encode(backend, dictionary, x, rows), first, edits);
  return { codes, output: await decodeChange(backend, dictionary, codes, x) };
}

/**
 * The same change of codes with a random direction for each latent, as long as its decoder row: moves of the same length at
 * the same tokens, `[rows, outputWidth]`.
 */
export function randomMoves({ codes, output }: Moves, dictionary: Dictionary, random: Random): Float32Array {
  const { outputWidth: width, decoderWeight } = dictionary;
  const directions = new Map<number, Float32Array>();
  for (const latent of codes.indices) {
    if (directions.has(latent)) continue;
    const length = normOf(decoderWeight.subarray(latent * width, (latent + 1) * width));
    directions.set(
      latent,
      randomDirections(1, width, random).map((value) => length * value),
    );
  }
  const out = new Float32Array(output.length);
  for (let r = 0; r < codes.rows; r++) {
    const row = out.subarray(r * width, (r + 1) * width);
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      const direction = directions.get(codes.indices[e])!;
      for (let c = 0; c < width; c++) row[c] += codes.values[e] * direction[c];
    }
    // Several random directions together are not as long as several decoder rows.
    const own = normOf(row);
    const scale = own > 0 ? normOf(output.subarray(r * width, (r + 1) * width)) / own : 0;
    for (let c = 0; c < width; c++) row[c] *= scale;
  }
  return out;
}

function noChange(rows: number): SparseRows {
  return {
    rows,
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(0),
    values: new Float32Array(0),
  };
}

function normOf(row: Float32Array): number {
  return Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
}
