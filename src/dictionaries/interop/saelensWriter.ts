/**
 * Writes SAELens' format, version 6, so that SAELens loads it unchanged: `cfg.json`, `sae_weights.safetensors` and,
 * where the firing frequencies are known, `sparsity.safetensors`. The architecture follows from the selection;
 * BatchTopK is saved as `jumprelu` with its threshold, as SAELens itself exports it. A run's dictionary for which SAELens
 * has no architecture is saved in the same way under the name `monosem`, which SAELens refuses.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { InputError } from '../../formats/errors.ts';
import { type Tensor, writeSafetensors } from '../../formats/safetensors.ts';
import type { Dictionary } from '../dictionary.ts';
import { absorbInputBias, hasTiedBias, transpose } from './folding.ts';
import { SAELENS_FILES, type SaelensArchitecture } from './saelensConfig.ts';

/** Where a dictionary came from, for SAELens' `metadata`. */
export interface SaelensMetadata {
  model_name: string;
  hook_name: string;
  context_size: number;
  prepend_bos: boolean;
  [key: string]: unknown;
}

/** The version of SAELens whose layout this is. Without one, SAELens reads the file as older and drops `metadata`. */
const LAYOUT_VERSION = '6.18.0';

/**
 * Writes `dictionary` into `dir`. `frequency [latents]`, the share of tokens on which each latent fires, becomes
 * SAELens' sparsity, `log10(frequency + 1e-10)`. InputError where SAELens has no architecture that says the same, but for
 * `own`: then it is saved as one that only monosem reads.
 */
export async function writeSaelens(
  dir: string,
  dictionary: Dictionary,
  metadata: SaelensMetadata | Record<string, unknown>,
  { frequency, own = false }: { frequency?: ArrayLike<number>; own?: boolean } = {},
): Promise<void> {
  const known = architectureOf(dictionary, metadata);
  if (typeof known === 'object' && !own)
    throw new InputError(`SAELens ${LAYOUT_VERSION} has no ${known.missing}; choose another format to write`);
  const architecture = typeof known === 'object' ? 'monosem' : known;
  const tied = hasTiedBias(dictionary) && !architecture.endsWith('transcoder');
  const stored = tied ? dictionary : absorbInputBias(dictionary);
  const { latents, selection } = stored;
  const { reshape_activations = 'none', ...rest } = metadata as Record<string, unknown>;
  const config = {
    architecture,
    d_in: stored.width,
    d_sae: latents,
    ...((architecture.endsWith('transcoder') || architecture === 'monosem') && { d_out: stored.outputWidth }),
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: tied,
    normalize_activations: { layerNorm: 'layer_norm', constantNorm: 'constant_norm_rescale', none: 'none' }[
      stored.normalisation ?? 'none'
    ],
    reshape_activations,
    ...('k' in selection && { k: selection.k, rescale_acts_by_decoder_norm: false }),
    ...(architecture === 'monosem' && { selection: selection.kind }),
    ...(selection.kind === 'pursuit' && {
      residual_threshold: selection.residual,
      max_iterations: selection.most,
      stop_on_duplicate_support: !selection.mayRepeat,
    }),
    metadata: { ...rest, sae_lens_version: LAYOUT_VERSION },
  };
  await mkdir(dir, { recursive: true });
  await writeSafetensors(join(dir, SAELENS_FILES.weights), tensorsOf(stored, architecture));
  if (frequency) {
    const sparsity = Float32Array.from(frequency, (share) => Math.log10(share + 1e-10));
    await writeSafetensors(join(dir, 'sparsity.safetensors'), { sparsity: tensor([latents], sparsity) });
  }
  await writeFileAtomic(join(dir, SAELENS_FILES.config), `${JSON.stringify(config, null, 2)}\n`);
}

function tensorsOf(dictionary: Dictionary, architecture: SaelensArchitecture): Record<string, Tensor> {
  const { width, outputWidth, latents, selection, skip } = dictionary;
  const decoder = {
    W_dec: tensor([latents, outputWidth], dictionary.decoderWeight),
    b_dec: tensor([outputWidth], dictionary.decoderBias),
  };
  if (selection.kind === 'pursuit') return decoder;
  return {
    W_enc: tensor([width, latents], transpose(dictionary.encoderWeight, latents, width)),
    b_enc: tensor([latents], dictionary.encoderBias),
    ...decoder,
    ...(selection.kind === 'threshold' &&
      architecture.startsWith('jumprelu') && { threshold: tensor([latents], selection.threshold) }),
    ...(skip && { W_skip: tensor([outputWidth, width], skip) }),
  };
}

/** The architecture of SAELens that says the same, or what it has none for. */
function architectureOf(
  dictionary: Dictionary,
  metadata: Record<string, unknown>,
): SaelensArchitecture | { missing: string } {
  const { width, outputWidth, selection, skip, normalisation } = dictionary;
  const refuse = (missing: string) => ({ missing });
  const untied = !dictionary.inputBias && metadata.hook_name_out != null;
  const isTranscoder = outputWidth !== width || skip !== undefined || untied;
  if (isTranscoder && normalisation) return refuse(`transcoder with normalisation ${normalisation}`);
  if (isTranscoder && selection.kind !== 'threshold') {
    return refuse(`transcoder with selection ${selection.kind}`);
  }
  switch (selection.kind) {
    case 'topk':
      return 'topk';
    case 'pursuit':
      if (!hasTiedBias(dictionary) && !hasNoBias(dictionary))
        return refuse('matching_pursuit whose input bias is not its b_dec');
      return 'matching_pursuit';
    case 'threshold': {
      const gate = selection.threshold.every((value) => value <= 0) ? '' : 'jumprelu';
      if (!isTranscoder) return gate === '' ? 'standard' : 'jumprelu';
      const transcoder = skip ? 'skip_transcoder' : 'transcoder';
      return gate === '' ? transcoder : `jumprelu_${transcoder}`;
    }
    default:
      return refuse(`architecture with selection ${selection.kind}`);
  }
}

function hasNoBias({ inputBias, decoderBias }: Dictionary): boolean {
  return !inputBias && decoderBias.every((value) => value === 0);
}

function tensor(shape: number[], data: Float32Array): Tensor {
  return { dtype: 'F32', shape, data };
}
