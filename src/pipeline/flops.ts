/**
 * Floating-point operations of a run, counted from shapes: two for each weight that a token meets in a product.
 */
import type { TransformerConfig } from '../models/transformer.ts';
import type { RunConfig } from '../runs/config.ts';

/** Reading `tokens` tokens up to the last layer of the hook points; attention's own products left out. */
export function harvestFlops(config: TransformerConfig, hooks: readonly string[], tokens: number): number {
  const layerOf = (hook: string) => Number(/^blocks\.(\d+)\./.exec(hook)?.[1] ?? config.layers - 1);
  const layers = Math.max(...hooks.map(layerOf)) + 1;
  const block = 4 * config.width ** 2 + 3 * config.width * config.mlpWidth;
  return 2 * layers * block * tokens;
}

/**
 * Training on `tokens` tokens: the encoder's product with all latents, `2 d F`, and four products with the `l0` that are
 * active on average (decoding, the gradient of the latents, of the decoder and of the encoder), `8 d l0`.
 */
export function trainingFlops({ dictionary }: RunConfig, width: number, l0: number, tokens: number): number {
  return (2 * width * dictionary.latents + 8 * width * l0) * tokens;
}
