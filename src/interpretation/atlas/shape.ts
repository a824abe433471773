/** What the atlas tells apart: kinds of directions, and bins of activations. Nothing is imported: a page uses it too. */

/** A coordinate of the hook point; an axis of a random orthonormal basis, the null; the decoder direction of a latent. */
export const DIRECTION_KINDS = ['neuron', 'rotation', 'latent'] as const;
export type DirectionKind = (typeof DIRECTION_KINDS)[number];

/** Bins of the activations of a latent. */
export const ACTIVATION_BINS = 20;
