/**
 * SAELens' `cfg.json`, version 6 and the flat one before it, as one schema. The older keys and what they became:
 * `handle_pre_6_0_config` in SAELens' `pretrained_sae_loaders.py`. It must not know the tensors.
 */
import * as z from 'zod';
import { InputError } from '../../formats/errors.ts';
import { readJsonObject } from '../../formats/json.ts';
import { validate } from '../../formats/validate.ts';
import { size } from './opened.ts';

export const SAELENS_FILES = { config: 'cfg.json', weights: 'sae_weights.safetensors' } as const;

/**
 * The architectures that are read, and of each the tensors that its weights file has. `monosem` is none of SAELens', which
 * refuses it by name: what SAELens has no architecture for, with the selection in a field of its own.
 */
export const SAELENS_TENSORS = {
  standard: ['W_enc', 'b_enc', 'W_dec', 'b_dec'],
  topk: ['W_enc', 'b_enc', 'W_dec', 'b_dec'],
  jumprelu: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'threshold', 'log_threshold'],
  gated: ['W_enc', 'b_gate', 'b_mag', 'r_mag', 'W_dec', 'b_dec'],
  batchtopk: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'topk_threshold'],
  matryoshka_batchtopk: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'topk_threshold'],
  matching_pursuit: ['W_dec', 'b_dec'],
  transcoder: ['W_enc', 'b_enc', 'W_dec', 'b_dec'],
  skip_transcoder: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'W_skip'],
  jumprelu_transcoder: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'threshold'],
  jumprelu_skip_transcoder: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'threshold', 'W_skip'],
  monosem: ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'W_skip'],
} as const;

export type SaelensArchitecture = keyof typeof SAELENS_TENSORS;

const ARCHITECTURES = Object.keys(SAELENS_TENSORS) as SaelensArchitecture[];

const configSchema = z.object({
  architecture: z.string(),
  d_in: size,
  d_sae: size,
  /** Of transcoders. */
  d_out: size.optional(),
  /** Of topk; the mean of batchtopk, which need not be whole. */
  k: z.number().positive().optional(),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z
    .enum(['none', 'layer_norm', 'constant_norm_rescale', 'expected_average_only_in'])
    .nullable()
    .default('none'),
  reshape_activations: z.enum(['none', 'hook_z']).default('none'),
  rescale_acts_by_decoder_norm: z.boolean().optional(),
  /** Of monosem: which latents fire, k of them. */
  selection: z.enum(['topk', 'absTopK', 'groupMax']).optional(),
  /** Of matching_pursuit. */
  residual_threshold: z.number().nonnegative().default(1e-2),
  max_iterations: size.nullish(),
  stop_on_duplicate_support: z.boolean().default(true),
  /** Before version 6: whether latents are scaled by a tensor `scaling_factor` before the decoder. */
  finetuning_scaling_factor: z.boolean().default(false),
  metadata: z.record(z.string(), z.unknown()).default({}),
});

export type SaelensConfig = Omit<z.output<typeof configSchema>, 'architecture'> & {
  readonly architecture: SaelensArchitecture;
};

/** What version 6 keeps in `metadata`, and the versions before beside everything else. */
const METADATA_KEYS = [
  'model_name',
  'hook_name',
  'hook_layer',
  'hook_head_index',
  'hook_name_out',
  'hook_head_index_out',
  'model_class_name',
  'model_from_pretrained_kwargs',
  'prepend_bos',
  'exclude_special_tokens',
  'neuronpedia_id',
  'context_size',
  'seqpos_slice',
  'dataset_path',
  'sae_lens_version',
  'sae_lens_training_version',
];

const OLD_NAMES: Record<string, string> = {
  hook_point: 'hook_name',
  hook_point_layer: 'hook_layer',
  hook_point_head_index: 'hook_head_index',
  activation_fn_str: 'activation_fn',
};

export async function readSaelensConfig(file: string): Promise<SaelensConfig> {
  const json = await readJsonObject(file);
  const config = validate(configSchema, isVersion6(json) ? json : upgrade(json, file), file);
  const { architecture } = config;
  if (architecture === 'temporal') {
    throw new InputError(
      `${file}: architecture is "temporal": its latents depend on earlier tokens through attention, which a dictionary here cannot say`,
    );
  }
  if (!isKnown(architecture)) {
    throw new InputError(
      `${file}: architecture is ${JSON.stringify(architecture)}; expected one of ${ARCHITECTURES.join(', ')}`,
    );
  }
  return { ...config, architecture };
}

function isKnown(architecture: string): architecture is SaelensArchitecture {
  return Object.hasOwn(SAELENS_TENSORS, architecture);
}

/** A file without a version counts as old unless it has version 6's `metadata`, which no older one had. */
function isVersion6(json: Record<string, unknown>): boolean {
  const version = json.sae_lens_version;
  if (typeof version === 'string') return Number.parseInt(version, 10) >= 6;
  return 'metadata' in json;
}

function upgrade(old: Record<string, unknown>, file: string): Record<string, unknown> {
  const config = Object.fromEntries(
    Object.entries(old).map(([key, value]) => [OLD_NAMES[key] ?? key, value]),
  );
  config.architecture ??= 'standard';
  const activation = config.activation_fn ?? 'relu';
  const { k } = (config.activation_fn_kwargs ?? {}) as { k?: unknown };
  if (activation === 'topk') {
    config.architecture = 'topk';
    config.k = k ?? config.k;
  } else if (activation !== 'relu') {
    throw new InputError(
      `${file}: activation_fn is ${JSON.stringify(activation)}; expected relu or topk, the ones that dictionaries here have`,
    );
  }
  if (typeof config.normalize_activations === 'boolean') {
    config.normalize_activations = config.normalize_activations ? 'expected_average_only_in' : 'none';
  }
  if (String(config.hook_name).includes('hook_z')) config.reshape_activations ??= 'hook_z';
  config.metadata = Object.fromEntries(
    METADATA_KEYS.filter((key) => config[key] !== undefined).map((key) => [key, config[key]]),
  );
  return config;
}
