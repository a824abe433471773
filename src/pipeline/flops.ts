/**
 * Floating-point operations of a run, counted from shapes: two for each weight that a token meets in a product. Attention's
 * own products, norms and selections are left out.
 */
import type { TransformerConfig } from '../models/transformer.ts';
import type { RunConfig } from '../runs/config.ts';
import type { Site } from '../runs/site.ts';

/** Of some blocks for `tokens` tokens. */
function blockFlops({ width, mlpWidth }: TransformerConfig, layers: number, tokens: number): number {
  return 2 * layers * (4 * width ** 2 + 3 * width * mlpWidth) * tokens;
}

function unembeddingFlops({ width, vocabulary }: TransformerConfig, tokens: number): number {
  return 2 * width * vocabulary * tokens;
}

/** The layer of a hook point; one that is in no block is at the end. */
function layerOf(config: TransformerConfig, hook: string): number {
  return Number(/^blocks\.(\d+)\./.exec(hook)?.[1] ?? config.layers - 1);
}

/** The whole model, with the unembedding, for each token that is written. */
export function samplingFlops(config: TransformerConfig, tokens: number): number {
  return blockFlops(config, config.layers, tokens) + unembeddingFlops(config, tokens);
}

/** Reading `tokens` tokens up to the last layer of the hook points. */
export function harvestFlops(config: TransformerConfig, hooks: readonly string[], tokens: number): number {
  const layers = Math.max(...hooks.map((hook) => layerOf(config, hook))) + 1;
  return blockFlops(config, layers, tokens);
}

/**
 * Training on `tokens` tokens: the encoder's product with all latents, `2 d F`, and four products with the `l0` that are
 * active on average (decoding, the gradient of the latents, of the decoder and of the encoder), `8 d l0`.
 */
export function trainingFlops({ dictionary }: RunConfig, width: number, l0: number, tokens: number): number {
  return (2 * width * dictionary.latents + 8 * width * l0) * tokens;
}

/** Encoding `tokens` tokens, `2 d F`, and decoding the `l0` latents that are active, `2 d l0`. */
export function codingFlops({ dictionary }: RunConfig, width: number, l0: number, tokens: number): number {
  return (2 * width * dictionary.latents + 2 * width * l0) * tokens;
}

/**
 * Evaluating `dictionaries` dictionaries of `l0` side by side: the clean model, zeros and the mean once for all, then for
 * each its codes, the blocks from the first that is edited on, and two unembeddings for the divergence.
 */
export function evaluationFlops(
  config: TransformerConfig,
  run: RunConfig,
  { outputs }: Site,
  shape: { width: number; l0: number; tokens: number; dictionaries: number },
): number {
  const { width, l0, tokens, dictionaries } = shape;
  const again = config.layers - Math.min(...outputs.map((hook) => layerOf(config, hook)));
  const clean = blockFlops(config, config.layers, tokens);
  const replaced = blockFlops(config, again, tokens);
  const predicted = unembeddingFlops(config, tokens);
  const each = codingFlops(run, width, l0, tokens) + replaced + 2 * predicted;
  return clean + 2 * replaced + 3 * predicted + dictionaries * each;
}

/** Encoding the training tokens once more, and decoder rows against the vocabulary twice. */
export function explanationFlops(
  config: TransformerConfig,
  { dictionary }: RunConfig,
  width: number,
  tokens: number,
): number {
  return 2 * width * dictionary.latents * tokens + 2 * unembeddingFlops(config, dictionary.latents);
}
