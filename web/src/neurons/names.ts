/** What coordinates of a hook point are called, honestly: only inside an MLP are they neurons. It must not know what was measured of them. */
import type { DirectionKind } from '../../../src/interpretation/atlas/shape.ts';

export interface KindName {
  readonly one: string;
  readonly many: string;
  /** In a sentence, what such a direction is. */
  readonly meaning: string;
}

/** The names of the three kinds of directions where a dictionary reads `site`, such as `blocks.3.mlp.hook_post`. */
export function kindNames(site: string): Record<DirectionKind, KindName> {
  return {
    neuron: coordinateName(site),
    rotation: {
      one: 'random axis',
      many: 'random axes',
      meaning:
        'An axis of a random rotation of the same space: what a direction serves that nothing singles out.',
    },
    latent: {
      one: 'latent’s own direction',
      many: 'latents’ own directions',
      meaning:
        'The decoder direction of a latent: what is served along the directions that the dictionary found.',
    },
  };
}

function coordinateName(site: string): KindName {
  if (/\.mlp\.hook_(pre|post)$/.test(site))
    return {
      one: 'neuron',
      many: 'neurons',
      meaning: 'A real neuron of the MLP: its own nonlinearity singles out this coordinate.',
    };
  if (/\.hook_(resid_(pre|mid|post)|mlp_out|attn_out)$/.test(site))
    return {
      one: 'residual coordinate',
      many: 'residual coordinates',
      meaning:
        'A coordinate of the residual stream, not a neuron: no nonlinearity acts on it alone, and what singles it out, if anything, is the training.',
    };
  return {
    one: 'coordinate',
    many: 'coordinates',
    meaning:
      'A coordinate of the activations that the dictionary reads; whether it is a neuron depends on where they are from.',
  };
}

/** With a capital, for a heading. */
export function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
