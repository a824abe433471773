/** What classes of latents and edges between them mean, in a sentence each. It must not know how either was found, or is shown. */
import type { EdgeKind, LatentClass } from '../evaluation/composition/graph.ts';

export const CLASS_MEANINGS: Readonly<Record<LatentClass, string>> = {
  dead: 'It never fires.',
  rare: 'It fires too seldom for anything to be tested.',
  dense: 'It fires on half of the tokens or more.',
  manifold:
    'It is one of several latents that tile a circle: they exclude each other and point all around a plane.',
  composed: 'It fires where two atoms do together, rather than where one does.',
  absorber: 'It fires in the place of a more general latent, whose direction is a part of its own.',
  duplicate: 'It is a copy of a latent that fires more often.',
  split: 'It points the same way as another latent, and fires where that one is silent.',
  atom: 'It is no copy, no sum and no part of other latents, as far as was tested.',
};

export interface EdgeMeaning {
  /** What the latent at the start of the edge is to those at its end. */
  readonly from: string;
  /** What the latent at the end of the edge is to those at its start. */
  readonly to: string;
  readonly strength: string;
}

export const EDGE_MEANINGS: Readonly<Record<EdgeKind, EdgeMeaning>> = {
  composed: {
    from: 'It fires where these atoms do together.',
    to: 'It is an atom that these latents are composed of: they fire where it does together with another.',
    strength: 'F1 of the firing against that of both atoms together',
  },
  absorbs: {
    from: 'It fires in the place of these more general latents, which are silent there.',
    to: 'These latents fire in its place, where it should fire and is silent.',
    strength: 'share of its firings that are missing',
  },
  duplicate: {
    from: 'It is a copy of these, which fire more often.',
    to: 'These are copies of it.',
    strength: 'cosine of the directions',
  },
  split: {
    from: 'It points the same way as these, and fires where they are silent.',
    to: 'These point the same way, and fire where it is silent.',
    strength: 'cosine of the directions',
  },
  manifold: {
    from: 'It lies on a circle of latents; this one comes next.',
    to: 'On that circle this one comes before it.',
    strength: 'share of the direction that lies in the plane of the circle',
  },
  hedges: {
    from: 'It has a part of these latents of a wider dictionary, for which this one has no latent of their own.',
    to: 'These latents of the narrower dictionary have a part of it.',
    strength: 'size of the part',
  },
};
