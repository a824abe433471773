/**
 * Reads dictionary_learning's `ae.pt` and the checkpoints and backups of its training, with the `config.json` that says
 * which class they are of. Latents are those of the class's own `encode` with its defaults.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../formats/errors.ts';
import { readJsonObject } from '../../formats/json.ts';
import { validate } from '../../formats/validate.ts';
import { type Dictionary, foldScale, type Selection } from '../dictionary.ts';
import { foldGate, transpose } from './folding.ts';
import type { Opened } from './opened.ts';
import { checkK, matrixShape, refuseOthers, takeFloats, takeNumber, type Weights } from './weights.ts';

const TENSORS = {
  AutoEncoder: ['bias', 'encoder.weight', 'encoder.bias', 'decoder.weight'],
  AutoEncoderNew: ['encoder.weight', 'encoder.bias', 'decoder.weight', 'decoder.bias'],
  GatedAutoEncoder: ['decoder_bias', 'encoder.weight', 'r_mag', 'gate_bias', 'mag_bias', 'decoder.weight'],
  AutoEncoderTopK: ['encoder.weight', 'encoder.bias', 'decoder.weight', 'b_dec', 'k', 'threshold'],
  BatchTopKSAE: ['encoder.weight', 'encoder.bias', 'decoder.weight', 'b_dec', 'k', 'threshold'],
  MatryoshkaBatchTopKSAE: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'k', 'threshold', 'group_sizes'],
  JumpReluAutoEncoder: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'threshold'],
} as const;

type DictClass = keyof typeof TENSORS;

const CLASSES = Object.keys(TENSORS) as DictClass[];

const configSchema = z.object({
  trainer: z.looseObject({
    dict_class: z.string().optional(),
    lm_name: z.string().optional(),
    layer: z.int().nonnegative().nullish(),
    submodule_name: z.string().nullish(),
    k: z.number().optional(),
  }),
  buffer: z.looseObject({ ctx_len: z.int().positive().nullish() }).optional(),
});

type Config = z.output<typeof configSchema>;

/**
 * The dictionary of a state that `torch.load` would give. `config.json` is beside the file, or above `checkpoints/`. A
 * backup is of activations divided by its `normFactor`, which everything else that is saved has in its biases already.
 */
export async function readDictionaryLearning(weights: Weights, normFactor?: number): Promise<Opened> {
  const file = await configFile(weights.file);
  const config = validate(configSchema, await readJsonObject(file), file);
  const { trainer } = config;
  const dictClass = classOf(trainer.dict_class, file);
  refuseOthers(weights, TENSORS[dictClass]);
  const dictionary = READERS[dictClass](weights, `${file}: trainer.k`, trainer.k);
  return {
    format: 'dictionary-learning',
    architecture: dictClass,
    dictionary: normFactor === undefined ? dictionary : foldScale(dictionary, 1 / normFactor),
    metadata: metadataOf(config),
    notes: notesOn(dictClass, weights),
  };
}

async function configFile(weightsFile: string): Promise<string> {
  const dir = dirname(resolve(weightsFile));
  const beside = join(dir, 'config.json');
  if (basename(dir) !== 'checkpoints') return beside;
  return stat(beside).then(
    () => beside,
    () => join(dirname(dir), 'config.json'),
  );
}

function classOf(name: string | undefined, file: string): DictClass {
  if (name !== undefined && Object.hasOwn(TENSORS, name)) return name as DictClass;
  throw new InputError(
    `${file}: trainer.dict_class is ${JSON.stringify(name ?? null)}; expected one of ${CLASSES.join(', ')}`,
  );
}

type Reader = (weights: Weights, kField: string, k: number | undefined) => Dictionary;

const READERS: Record<DictClass, Reader> = {
  AutoEncoder: (weights) => {
    const inputBias = takeFloats(weights, 'bias', [linear(weights).width]);
    return { ...linear(weights), ...relu(weights), decoderBias: inputBias, inputBias };
  },
  AutoEncoderNew: (weights) => ({
    ...linear(weights),
    ...relu(weights),
    decoderBias: takeFloats(weights, 'decoder.bias', [linear(weights).width]),
  }),
  GatedAutoEncoder: (weights) => {
    const parts = linear(weights);
    const vector = (name: string) => takeFloats(weights, name, [parts.latents]);
    const gateBias = vector('gate_bias');
    const magnitudeBias = vector('mag_bias');
    const gate = {
      encoderWeight: parts.encoderWeight,
      gateBias,
      magnitudeBias,
      logMagnitude: vector('r_mag'),
    };
    const bias = takeFloats(weights, 'decoder_bias', [parts.width]);
    return { ...parts, ...foldGate(gate), decoderBias: bias, inputBias: bias };
  },
  AutoEncoderTopK: (weights, kField, given) => {
    const parts = linear(weights);
    const k = weights.tensors.has('k') ? takeNumber(weights, 'k') : given;
    const where = weights.tensors.has('k') ? `${weights.file}: k` : kField;
    return {
      ...parts,
      ...tied(weights, parts),
      selection: { kind: 'topk', k: checkK(k, parts.latents, where) },
    };
  },
  BatchTopKSAE: (weights) => {
    const parts = linear(weights);
    return { ...parts, ...tied(weights, parts), selection: oneThreshold(weights, parts.latents) };
  },
  MatryoshkaBatchTopKSAE: (weights) => {
    const parts = rowVectors(weights);
    const bias = takeFloats(weights, 'b_dec', [parts.width]);
    return { ...parts, decoderBias: bias, inputBias: bias, selection: oneThreshold(weights, parts.latents) };
  },
  JumpReluAutoEncoder: (weights) => {
    const parts = rowVectors(weights);
    const threshold = takeFloats(weights, 'threshold', [parts.latents]);
    const decoderBias = takeFloats(weights, 'b_dec', [parts.width]);
    return { ...parts, decoderBias, selection: { kind: 'threshold', threshold } };
  },
};

/** The two `nn.Linear`s: encoder `[latents, width]`, decoder `[width, latents]`. */
function linear(weights: Weights) {
  const [latents, width] = matrixShape(weights, 'encoder.weight');
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight: takeFloats(weights, 'encoder.weight', [latents, width]),
    decoderWeight: transpose(takeFloats(weights, 'decoder.weight', [width, latents]), width, latents),
  };
}

function relu(weights: Weights): { encoderBias: Float32Array; selection: Selection } {
  const [latents] = matrixShape(weights, 'encoder.weight');
  const encoderBias = takeFloats(weights, 'encoder.bias', [latents]);
  return { encoderBias, selection: { kind: 'threshold', threshold: new Float32Array(latents) } };
}

function tied(weights: Weights, { latents, width }: { latents: number; width: number }) {
  const bias = takeFloats(weights, 'b_dec', [width]);
  return {
    encoderBias: takeFloats(weights, 'encoder.bias', [latents]),
    decoderBias: bias,
    inputBias: bias,
  };
}

/** `W_enc [width, latents]` and `W_dec [latents, width]`. */
function rowVectors(weights: Weights) {
  const [width, latents] = matrixShape(weights, 'W_enc');
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight: transpose(takeFloats(weights, 'W_enc', [width, latents]), width, latents),
    encoderBias: takeFloats(weights, 'b_enc', [latents]),
    decoderWeight: takeFloats(weights, 'W_dec', [latents, width]),
  };
}

/** -1 stands for a threshold that training has not come to: then every positive pre-activation passes, as in the class. */
function oneThreshold(weights: Weights, latents: number): Selection {
  const threshold = Math.max(0, takeNumber(weights, 'threshold'));
  return { kind: 'threshold', threshold: new Float32Array(latents).fill(threshold) };
}

function notesOn(dictClass: DictClass, weights: Weights): string[] {
  if (!dictClass.includes('BatchTopK') || takeNumber(weights, 'threshold') >= 0) return [];
  return [
    'its threshold was never set (-1), so every positive pre-activation passes, as in dictionary_learning; train it past threshold_start_step',
  ];
}

function metadataOf({ trainer, buffer }: Config): Record<string, unknown> {
  const { lm_name, layer, submodule_name } = trainer;
  const isResidual = submodule_name != null && submodule_name === `resid_post_layer_${layer}`;
  return {
    ...(lm_name !== undefined && { model_name: basename(lm_name) }),
    ...(isResidual && { hook_name: `blocks.${layer}.hook_resid_post` }),
    ...(buffer?.ctx_len != null && { context_size: buffer.ctx_len }),
    dictionary_learning: trainer,
  };
}
