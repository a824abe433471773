/**
 * Reads SAELens' format: a directory with `cfg.json` and `sae_weights.safetensors`, of version 6 and before, as saved
 * for inference or in a training checkpoint. What SAELens does at run time is folded into the weights, so that latents
 * and reconstruction are those of its `encode` and `decode`. `saelensWriter.ts` writes it.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../formats/errors.ts';
import { readJsonObject } from '../../formats/json.ts';
import { validate } from '../../formats/validate.ts';
import type { Dictionary, Selection } from '../dictionary.ts';
import type { Normalisation } from '../normalisation.ts';
import {
  foldDecoderNorms,
  foldGate,
  foldInputScale,
  scaleRows,
  transpose,
  type Weighted,
} from './folding.ts';
import type { Opened } from './opened.ts';
import { readSaelensConfig, SAELENS_FILES, SAELENS_TENSORS, type SaelensConfig } from './saelensConfig.ts';
import { checkK, readWeights, refuseOthers, takeFloats, takeNumber, type Weights } from './weights.ts';

/** Where a training checkpoint keeps the factor of `expected_average_only_in`: of version 6, and before. */
const SCALER_FILE = 'activation_scaler.json';
const OLD_SCALER_FILE = 'activations_store_state.safetensors';
const OLD_SCALER_TENSOR = 'estimated_norm_scaling_factor';

const NORMALISATIONS: Partial<Record<string, Normalisation>> = {
  layer_norm: 'layerNorm',
  constant_norm_rescale: 'constantNorm',
};

/** Reads the dictionary in `dir`. InputError names the file, and the field or tensor that is not as it should be. */
export async function readSaelens(dir: string): Promise<Opened> {
  const configFile = join(dir, SAELENS_FILES.config);
  const config = await readSaelensConfig(configFile);
  const weights = await readWeights(join(dir, SAELENS_FILES.weights));
  refuseOthers(weights, [...SAELENS_TENSORS[config.architecture], 'scaling_factor']);
  const assembled = assemble(config, weights, configFile);
  const scaled = config.normalize_activations === 'expected_average_only_in';
  return {
    format: 'saelens',
    architecture: config.architecture,
    dictionary: scaled ? foldInputScale(assembled, await inputScale(dir, configFile)) : assembled,
    metadata: {
      ...config.metadata,
      ...(config.reshape_activations === 'hook_z' && { reshape_activations: 'hook_z' }),
    },
    notes:
      config.reshape_activations === 'hook_z'
        ? ['reads hook_z with its heads side by side in one row, [heads * d_head]']
        : [],
  };
}

function assemble(config: SaelensConfig, weights: Weights, configFile: string): Dictionary {
  const { d_in: width, d_sae: latents, architecture } = config;
  const isTranscoder = architecture.endsWith('transcoder');
  const outputWidth = isTranscoder || architecture === 'monosem' ? (config.d_out ?? width) : width;
  const decoderWeight = takeFloats(weights, 'W_dec', [latents, outputWidth]);
  const decoderBias = takeFloats(weights, 'b_dec', [outputWidth]);
  const tied = config.apply_b_dec_to_input && !isTranscoder;
  const sizes = { width, outputWidth, latents };
  if (architecture === 'matching_pursuit') {
    return {
      ...sizes,
      encoderWeight: decoderWeight,
      encoderBias: new Float32Array(latents),
      decoderWeight,
      // SAELens adds b_dec back only where it was subtracted.
      decoderBias: tied ? decoderBias : new Float32Array(width),
      ...(tied && { inputBias: decoderBias }),
      ...normalisation(config),
      selection: {
        kind: 'pursuit',
        most: config.max_iterations ?? width,
        residual: config.residual_threshold,
        ...(!config.stop_on_duplicate_support && { mayRepeat: true }),
      },
    };
  }
  if (isTranscoder && NORMALISATIONS[config.normalize_activations ?? 'none']) {
    throw new InputError(
      `${configFile}: normalize_activations is ${config.normalize_activations}, which SAELens does to a transcoder's input and does not undo to its output; expected none`,
    );
  }
  return {
    ...sizes,
    ...latentsOf(config, weights, decoderWeight, configFile),
    decoderBias,
    ...(tied && { inputBias: decoderBias }),
    ...((architecture.includes('skip') || (architecture === 'monosem' && weights.tensors.has('W_skip'))) && {
      skip: takeFloats(weights, 'W_skip', [outputWidth, width]),
    }),
    ...normalisation(config),
  };
}

function normalisation(config: SaelensConfig): { normalisation?: Normalisation } {
  const kind = NORMALISATIONS[config.normalize_activations ?? 'none'];
  return kind ? { normalisation: kind } : {};
}

function latentsOf(
  config: SaelensConfig,
  weights: Weights,
  decoder: Float32Array,
  configFile: string,
): Weighted & { selection: Selection } {
  const { d_in: width, d_sae: latents, architecture } = config;
  const encoderWeight = transpose(takeFloats(weights, 'W_enc', [width, latents]), width, latents);
  const decoderWeight = finetuned(config, weights, decoder);
  const vector = (name: string) => takeFloats(weights, name, [latents]);
  if (architecture === 'gated') {
    const gate = {
      gateBias: vector('b_gate'),
      magnitudeBias: vector('b_mag'),
      logMagnitude: vector('r_mag'),
    };
    return { ...foldGate({ encoderWeight, ...gate }), decoderWeight };
  }
  const weighted = { encoderWeight, encoderBias: vector('b_enc'), decoderWeight };
  const mayRescale = architecture === 'topk' || architecture.includes('batchtopk');
  // Written by all that have it; where it is missing, the default of SAELens' class.
  const rescale = config.rescale_acts_by_decoder_norm ?? architecture.includes('batchtopk');
  return {
    ...(mayRescale && rescale ? foldDecoderNorms(weighted) : weighted),
    selection: selectionOf(config, weights, configFile),
  };
}

function selectionOf(config: SaelensConfig, weights: Weights, configFile: string): Selection {
  const { d_sae: latents, architecture } = config;
  if (architecture === 'topk' || architecture === 'monosem') {
    const { selection: kind = 'topk' } = config;
    return { kind, k: checkK(config.k, latents, `${configFile}: k`) };
  }
  const threshold = () => {
    if (architecture === 'jumprelu' && weights.tensors.has('log_threshold')) {
      return takeFloats(weights, 'log_threshold', [latents]).map(Math.exp);
    }
    if (architecture.startsWith('jumprelu')) return takeFloats(weights, 'threshold', [latents]);
    // As SAELens saves it for inference: the running minimum of what was chosen in a batch, for all latents.
    if (architecture.includes('batchtopk'))
      return new Float32Array(latents).fill(takeNumber(weights, 'topk_threshold'));
    return new Float32Array(latents);
  };
  return { kind: 'threshold', threshold: threshold() };
}

/** Before version 6, latents could be scaled before the decoder; a factor of ones was saved where they were not. */
function finetuned(config: SaelensConfig, weights: Weights, decoderWeight: Float32Array): Float32Array {
  if (!weights.tensors.has('scaling_factor')) return decoderWeight;
  const factors = takeFloats(weights, 'scaling_factor', [config.d_sae]);
  if (factors.every((factor) => factor === 1)) return decoderWeight;
  if (!config.finetuning_scaling_factor) {
    throw new InputError(
      `${weights.file}: scaling_factor is not all ones, but cfg.json has no finetuning_scaling_factor: true, which says that it is used; remove one or add the other`,
    );
  }
  return scaleRows(decoderWeight, Float64Array.from(factors));
}

const scalerSchema = z.object({ scaling_factor: z.number().positive().nullable() });

async function inputScale(dir: string, configFile: string): Promise<number> {
  const file = join(dir, SCALER_FILE);
  if (await isThere(file)) {
    const { scaling_factor } = validate(scalerSchema, await readJsonObject(file), file);
    if (scaling_factor !== null) return scaling_factor;
  }
  const old = join(dir, OLD_SCALER_FILE);
  if (await isThere(old)) {
    const state = await readWeights(old);
    if (state.tensors.has(OLD_SCALER_TENSOR)) {
      const factor = takeNumber(state, OLD_SCALER_TENSOR);
      if (factor > 0) return factor;
      throw new InputError(`${old}: ${OLD_SCALER_TENSOR} is ${factor}; expected a number above 0`);
    }
  }
  throw new InputError(
    `${configFile}: normalize_activations is expected_average_only_in, but the factor that activations are multiplied by is in none of ${SCALER_FILE} and ${OLD_SCALER_FILE}. Write {"scaling_factor": sqrt(d_in) / (mean norm of the activations)} to ${file}`,
  );
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
