/**
 * SAELens' format, version 6: a directory with `cfg.json`, `sae_weights.safetensors` and `sparsity.safetensors`.
 * Written so that SAELens loads it unchanged; read back for the two architectures that monosem trains.
 *
 * TopK is stored as `topk`. BatchTopK is stored as `jumprelu` with its threshold, as SAELens itself exports it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import { readSafetensors, type Tensor, writeSafetensors } from '../../formats/safetensors.ts';
import type { Dictionary } from '../dictionary.ts';

/** Where a dictionary came from, for SAELens' `metadata`. */
export interface SaelensMetadata {
  model_name: string;
  hook_name: string;
  context_size: number;
  prepend_bos: boolean;
  [key: string]: unknown;
}

const configSchema = z.object({
  architecture: z.enum(['topk', 'jumprelu']),
  d_in: z.int().positive(),
  d_sae: z.int().positive(),
  k: z.int().positive().optional(),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z.literal('none').default('none'),
  reshape_activations: z.literal('none').default('none'),
  rescale_acts_by_decoder_norm: z.literal(false).default(false),
  metadata: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Writes `dictionary` into `dir`. `frequency [latents]`, the share of tokens on which each latent fires, becomes
 * SAELens' sparsity, `log10(frequency + 1e-10)`.
 */
export async function writeSaelens(
  dir: string,
  dictionary: Dictionary,
  metadata: SaelensMetadata,
  frequency: ArrayLike<number>,
): Promise<void> {
  const { width, latents, selection } = dictionary;
  if (selection.kind !== 'topk' && selection.kind !== 'threshold')
    throw new InputError(`${dir}: SAELens has no architecture for the selection ${selection.kind}`);
  const tensor = (shape: number[], data: Float32Array): Tensor => ({ dtype: 'F32', shape, data });
  const tensors: Record<string, Tensor> = {
    W_enc: tensor([width, latents], transpose(dictionary.encoderWeight, latents, width)),
    b_enc: tensor([latents], dictionary.encoderBias),
    W_dec: tensor([latents, width], dictionary.decoderWeight),
    b_dec: tensor([width], dictionary.decoderBias),
  };
  if (selection.kind === 'threshold') tensors.threshold = tensor([latents], selection.threshold);
  const config = {
    architecture: selection.kind === 'topk' ? 'topk' : 'jumprelu',
    d_in: width,
    d_sae: latents,
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: true,
    normalize_activations: 'none',
    reshape_activations: 'none',
    ...(selection.kind === 'topk' ? { k: selection.k, rescale_acts_by_decoder_norm: false } : {}),
    metadata,
  };
  const sparsity = Float32Array.from(frequency, (share) => Math.log10(share + 1e-10));
  await writeSafetensors(join(dir, 'sae_weights.safetensors'), tensors);
  await writeSafetensors(join(dir, 'sparsity.safetensors'), { sparsity: tensor([latents], sparsity) });
  await writeFileAtomic(join(dir, 'cfg.json'), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * Reads a `topk` or `jumprelu` dictionary. A file with a value that is not finite, a tensor of another shape or an
 * option that monosem does not know is refused by name.
 */
export async function readSaelens(
  dir: string,
): Promise<{ dictionary: Dictionary; metadata: Record<string, unknown> }> {
  const file = join(dir, 'cfg.json');
  const config = await readConfig(file);
  const { d_in: width, d_sae: latents } = config;
  const weights = join(dir, 'sae_weights.safetensors');
  const tensors = await readSafetensors(weights);
  const take = (name: string, shape: number[]) => takeFloats(tensors, weights, name, shape);
  if (config.architecture === 'topk' && config.k === undefined) {
    throw new InputError(`${file}: k is missing; a topk dictionary needs it`);
  }
  if (config.k !== undefined && config.k > latents) {
    throw new InputError(`${file}: k is ${config.k}, but there are only ${latents} latents (d_sae)`);
  }
  const encoderWeight = transpose(take('W_enc', [width, latents]), width, latents);
  const decoderBias = take('b_dec', [width]);
  let encoderBias = take('b_enc', [latents]);
  if (!config.apply_b_dec_to_input) encoderBias = absorbInputBias(encoderBias, encoderWeight, decoderBias);
  return {
    dictionary: {
      width,
      outputWidth: width,
      latents,
      encoderWeight,
      encoderBias,
      decoderWeight: take('W_dec', [latents, width]),
      decoderBias,
      inputBias: decoderBias,
      selection:
        config.architecture === 'topk'
          ? { kind: 'topk', k: config.k! }
          : { kind: 'threshold', threshold: take('threshold', [latents]) },
    },
    metadata: config.metadata,
  };
}

async function readConfig(file: string): Promise<z.infer<typeof configSchema>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError(`${file}: not JSON (${error.message})`);
    throw explainSystemError(error, 'read', file);
  }
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${file}: ${issue.path.join('.') || 'the whole file'}: ${issue.message}`);
}

function takeFloats(tensors: Map<string, Tensor>, file: string, name: string, shape: number[]): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new InputError(`${file}: there is no tensor ${name}; expected one of shape [${shape}]`);
  if (!(tensor.data instanceof Float32Array)) {
    throw new InputError(`${file}: ${name} is ${tensor.dtype}; expected F32, F16 or BF16`);
  }
  if (tensor.shape.join() !== shape.join()) {
    throw new InputError(`${file}: ${name} has shape [${tensor.shape}]; cfg.json says [${shape}]`);
  }
  const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new InputError(`${file}: ${name} has ${tensor.data[bad]} at element ${bad}; expected numbers`);
  return tensor.data;
}

/** `x W + b = (x - b_dec) W + (b + b_dec W)`: states an encoder without input bias as one with. */
function absorbInputBias(
  bias: Float32Array,
  encoderWeight: Float32Array,
  decoderBias: Float32Array,
): Float32Array {
  const width = decoderBias.length;
  return bias.map((value, j) => {
    let sum = value;
    for (let i = 0; i < width; i++) sum += decoderBias[i] * encoderWeight[j * width + i];
    return sum;
  });
}

/** `[rows, columns]` to `[columns, rows]`. */
function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
  }
  return out;
}
