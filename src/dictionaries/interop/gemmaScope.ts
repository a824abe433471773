/**
 * Reads and writes Gemma Scope's format: `params.npz` with a JumpReLU encoder that subtracts nothing from its input.
 * Gemma Scope 2 keeps the same under lower-case names in a safetensors file, with a skip path in some transcoders; it
 * is read as circuit-tracer reads it.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { InputError } from '../../formats/errors.ts';
import { readNpz, writeNpz } from '../../formats/npz.ts';
import type { Tensor } from '../../formats/tensor.ts';
import type { Dictionary } from '../dictionary.ts';
import { absorbInputBias, scaleAll, transpose } from './folding.ts';
import type { Opened } from './opened.ts';
import { matrixShape, refuseOthers, takeFloats, type Weights } from './weights.ts';

export const GEMMA_SCOPE_FILE = 'params.npz';

const TENSORS = ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'threshold', 'scaling_factor'];
const OLD_NAMES: Record<string, string> = { w_enc: 'W_enc', w_dec: 'W_dec' };

/** Reads a `params.npz`, of an autoencoder or a transcoder. */
export async function readGemmaScope(file: string): Promise<Opened> {
  const named = [...(await readNpz(file))].map(
    ([name, tensor]) => [OLD_NAMES[name] ?? name, tensor] as const,
  );
  const weights = { file, tensors: new Map(named) };
  refuseOthers(weights, TENSORS);
  const dictionary = jumpRelu(weights, 'W_enc', 'W_dec');
  if (weights.tensors.has('scaling_factor')) refuseScaling(weights, dictionary.latents);
  const places = resolve(file).split(sep);
  const ofEmbedding = places.some((place) => place.startsWith('embedding'));
  return opened(ofEmbedding ? ofScaledEmbedding(dictionary) : dictionary, {
    architecture: 'jumprelu',
    place: places.slice(-4, -1),
    notes: ofEmbedding
      ? ['reads embeddings multiplied by sqrt(d_in), as the model does before its blocks']
      : [],
  });
}

/** Reads the tensors of a Gemma Scope 2 file; `affine_skip_connection [d_in, d_out]` is multiplied as it stands. */
export function openGemmaScope2(weights: Weights): Opened {
  refuseOthers(weights, ['w_enc', 'b_enc', 'w_dec', 'b_dec', 'threshold', 'affine_skip_connection']);
  const dictionary = jumpRelu(weights, 'w_enc', 'w_dec');
  const { width, outputWidth } = dictionary;
  const hasSkip = weights.tensors.has('affine_skip_connection');
  const skip = hasSkip && {
    skip: transpose(takeFloats(weights, 'affine_skip_connection', [width, outputWidth]), width, outputWidth),
  };
  return opened(
    { ...dictionary, ...skip },
    {
      architecture: hasSkip ? 'jumprelu, skip' : 'jumprelu',
      place: resolve(weights.file).split(sep).slice(-3, -1),
      notes: [],
    },
  );
}

function opened(
  dictionary: Dictionary,
  { architecture, place, notes }: { architecture: string; place: string[]; notes: string[] },
): Opened {
  const metadata = { gemma_scope_id: place.join('/') };
  return { format: 'gemma-scope', architecture, dictionary, metadata, notes };
}

function jumpRelu(weights: Weights, encoder: string, decoder: string): Dictionary {
  const [width, latents] = matrixShape(weights, encoder);
  const [, outputWidth] = matrixShape(weights, decoder);
  return {
    width,
    outputWidth,
    latents,
    encoderWeight: transpose(takeFloats(weights, encoder, [width, latents]), width, latents),
    encoderBias: takeFloats(weights, 'b_enc', [latents]),
    decoderWeight: takeFloats(weights, decoder, [latents, outputWidth]),
    decoderBias: takeFloats(weights, 'b_dec', [outputWidth]),
    selection: { kind: 'threshold', threshold: takeFloats(weights, 'threshold', [latents]) },
  };
}

/**
 * The dictionary of embeddings was trained on rows of the embedding matrix, which Gemma multiplies by `sqrt(d)`: with
 * `y = sqrt(d) x`, `x W = y (W / sqrt(d))`, and the output grows by `sqrt(d)`.
 */
function ofScaledEmbedding(dictionary: Dictionary): Dictionary {
  const scale = Math.sqrt(dictionary.width);
  return {
    ...dictionary,
    encoderWeight: scaleAll(dictionary.encoderWeight, 1 / scale),
    decoderWeight: scaleAll(dictionary.decoderWeight, scale),
    decoderBias: scaleAll(dictionary.decoderBias, scale),
  };
}

function refuseScaling(weights: Weights, latents: number): void {
  if (takeFloats(weights, 'scaling_factor', [latents]).every((factor) => factor === 1)) return;
  throw new InputError(
    `${weights.file}: scaling_factor is not all ones; no published Gemma Scope dictionary has such a one, and what it scales is not known`,
  );
}

/** Writes `params.npz` into `dir`. InputError where Gemma Scope has no words for the dictionary. */
export async function writeGemmaScope(dir: string, dictionary: Dictionary): Promise<void> {
  const { selection, skip, normalisation } = dictionary;
  const refuse = (what: string) =>
    new InputError(`Gemma Scope has no ${what}; choose another format to write`);
  if (selection.kind !== 'threshold') throw refuse(`selection ${selection.kind}, only thresholds`);
  if (skip) throw refuse('skip path');
  if (normalisation) throw refuse(`normalisation ${normalisation}`);
  const { width, outputWidth, latents, encoderWeight, ...rest } = absorbInputBias(dictionary);
  const tensor = (shape: number[], data: Float32Array): Tensor => ({ dtype: 'F32', shape, data });
  await mkdir(dir, { recursive: true });
  await writeNpz(join(dir, GEMMA_SCOPE_FILE), {
    W_enc: tensor([width, latents], transpose(encoderWeight, latents, width)),
    W_dec: tensor([latents, outputWidth], rest.decoderWeight),
    b_enc: tensor([latents], rest.encoderBias),
    b_dec: tensor([outputWidth], rest.decoderBias),
    threshold: tensor([latents], selection.threshold),
  });
}
