/**
 * Reads and writes sparsify's format: a directory with `cfg.json` and `sae.safetensors`. Its encoder is
 * `topk(relu((x - b_dec) E^T + b))` or the largest of each of k groups, without `- b_dec` where it transcodes.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { InputError } from '../../formats/errors.ts';
import { readJsonObject } from '../../formats/json.ts';
import { type Tensor, writeSafetensors } from '../../formats/safetensors.ts';
import { validate } from '../../formats/validate.ts';
import type { Dictionary, Selection } from '../dictionary.ts';
import { absorbInputBias, hasTiedBias } from './folding.ts';
import { type Opened, size } from './opened.ts';
import { checkK, readWeights, refuseOthers, takeFloats } from './weights.ts';

export const SPARSIFY_FILES = { config: 'cfg.json', weights: 'sae.safetensors' } as const;

const configSchema = z.looseObject({
  d_in: size,
  activation: z.enum(['topk', 'groupmax']).default('topk'),
  expansion_factor: z.number().positive().default(32),
  /** 0 stands for `d_in * expansion_factor`. */
  num_latents: z.int().nonnegative().default(0),
  k: size.default(32),
  skip_connection: z.boolean().default(false),
  transcode: z.boolean().default(false),
  /** Of old versions: TopK by magnitude, without a ReLU. */
  signed: z.boolean().default(false),
});

/** What `true` may stand beside without changing what a saved dictionary computes. */
const OF_TRAINING = ['normalize_decoder', 'multi_topk'];

/** Reads the dictionary in `dir`; the name of the directory is the module that it reads. */
export async function readSparsify(dir: string): Promise<Opened> {
  const file = join(dir, SPARSIFY_FILES.config);
  const json = await readJsonObject(file);
  const config = validate(configSchema, json, file);
  refuseUnknownSwitches(json, file);
  const { d_in: width, k, skip_connection, transcode } = config;
  const latents = config.num_latents || width * config.expansion_factor;
  const weights = await readWeights(join(dir, SPARSIFY_FILES.weights));
  const names = ['encoder.weight', 'encoder.bias', 'W_dec', 'b_dec'];
  refuseOthers(weights, skip_connection ? [...names, 'W_skip'] : names);
  const bias = takeFloats(weights, 'b_dec', [width]);
  const dictionary: Dictionary = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: takeFloats(weights, 'encoder.weight', [latents, width]),
    encoderBias: takeFloats(weights, 'encoder.bias', [latents]),
    decoderWeight: takeFloats(weights, 'W_dec', [latents, width]),
    decoderBias: bias,
    ...(!transcode && { inputBias: bias }),
    ...(skip_connection && { skip: takeFloats(weights, 'W_skip', [width, width]) }),
    selection: selectionOf(config, checkK(k, latents, `${file}: k`), latents, file),
  };
  return {
    format: 'sparsify',
    architecture: [
      config.signed ? 'signed topk' : config.activation,
      transcode && 'transcode',
      skip_connection && 'skip',
    ]
      .filter(Boolean)
      .join(', '),
    dictionary,
    metadata: { sparsify_hookpoint: basename(resolve(dir)) },
    notes: [],
  };
}

function selectionOf(
  { activation, signed }: z.output<typeof configSchema>,
  k: number,
  latents: number,
  file: string,
): Selection {
  if (signed) return { kind: 'absTopK', k };
  if (activation === 'topk') return { kind: 'topk', k };
  if (latents % k !== 0) {
    throw new InputError(`${file}: k is ${k}; groupmax needs one that divides the ${latents} latents`);
  }
  return { kind: 'groupMax', k };
}

function refuseUnknownSwitches(json: Record<string, unknown>, file: string): void {
  const known = [...Object.keys(configSchema.shape), ...OF_TRAINING];
  for (const [key, value] of Object.entries(json)) {
    if (value === true && !known.includes(key)) {
      throw new InputError(
        `${file}: ${key} is true, which is not known here and may change what it computes`,
      );
    }
  }
}

/** Writes `dictionary` into `dir`. InputError where sparsify has no words for it. */
export async function writeSparsify(dir: string, dictionary: Dictionary): Promise<void> {
  const { selection, width, outputWidth, latents, skip, normalisation } = dictionary;
  if (selection.kind !== 'topk' && selection.kind !== 'groupMax') {
    throw new InputError(
      `sparsify has no selection ${selection.kind}, only topk and groupMax; choose another format`,
    );
  }
  if (outputWidth !== width) {
    throw new InputError(`sparsify has one width for input and output; found ${width} and ${outputWidth}`);
  }
  if (normalisation)
    throw new InputError(`sparsify has no normalisation ${normalisation}; choose another format`);
  const transcode = !hasTiedBias(dictionary);
  const stored = transcode ? absorbInputBias(dictionary) : dictionary;
  const config = {
    activation: selection.kind === 'topk' ? 'topk' : 'groupmax',
    expansion_factor: Math.max(1, Math.floor(latents / width)),
    normalize_decoder: hasUnitRows(stored.decoderWeight, width),
    num_latents: latents,
    k: selection.k,
    multi_topk: false,
    skip_connection: skip !== undefined,
    transcode,
    d_in: width,
  };
  await mkdir(dir, { recursive: true });
  const tensor = (shape: number[], data: Float32Array): Tensor => ({ dtype: 'F32', shape, data });
  await writeSafetensors(join(dir, SPARSIFY_FILES.weights), {
    'encoder.weight': tensor([latents, width], stored.encoderWeight),
    'encoder.bias': tensor([latents], stored.encoderBias),
    W_dec: tensor([latents, width], stored.decoderWeight),
    b_dec: tensor([width], stored.decoderBias),
    ...(skip && { W_skip: tensor([width, width], skip) }),
  });
  await writeFileAtomic(join(dir, SPARSIFY_FILES.config), `${JSON.stringify(config, null, 2)}\n`);
}

function hasUnitRows(matrix: Float32Array, width: number): boolean {
  for (let start = 0; start < matrix.length; start += width) {
    let square = 0;
    for (let i = start; i < start + width; i++) square += matrix[i] * matrix[i];
    if (Math.abs(square - 1) > 1e-4) return false;
  }
  return true;
}
