/**
 * What each measure of the evidence for a latent means, in a sentence, in the order in which it is told: first what other
 * trainings say, then what the model says, then what the latent is like. It must not know how any of it was measured, or is shown.
 */
import type { EvidenceMeasure } from '../runs/evidenceSchema.ts';

export interface EvidenceMeaning {
  readonly label: string;
  readonly meaning: string;
  /** What a true feature should have more of than an artifact; where it is not set, neither end speaks for a latent. */
  readonly better?: 'higher' | 'lower';
  /** It follows from how many latents there are: only nulls that have as many can be compared. */
  readonly ofCount?: true;
  readonly decimals: number;
}

export const EVIDENCE_MEANINGS: Readonly<Record<EvidenceMeasure, EvidenceMeaning>> = {
  consensus: {
    label: 'Other seeds',
    meaning:
      'Cosine with the nearest latent of dictionaries trained from other seeds: the mean, between the least and the greatest. 1 is the same direction.',
    better: 'higher',
    decimals: 2,
  },
  agreement: {
    label: 'Fires with them',
    meaning:
      'How far those nearest latents fire on the same held-out tokens: F1, 1 where they fire on exactly the same.',
    better: 'higher',
    decimals: 2,
  },
  widths: {
    label: 'Another width',
    meaning: 'Cosine with the nearest latent of a dictionary with another number of latents.',
    better: 'higher',
    decimals: 2,
  },
  sparsities: {
    label: 'Another sparsity',
    meaning:
      'Cosine with the nearest latent of dictionaries in which fewer and more latents fire at a time: the mean, between the least and the greatest.',
    better: 'higher',
    decimals: 2,
  },
  ablated: {
    label: 'Taken out',
    meaning:
      'How much more the prediction moves where it is taken out than where a random direction of the same length is: the logarithm of the ratio of divergences. 0 is no more than any direction.',
    better: 'higher',
    decimals: 2,
  },
  added: {
    label: 'Put in',
    meaning:
      'The same where it is put in, at tokens on which it does not fire, beside a random direction of the same length.',
    better: 'higher',
    decimals: 2,
  },
  transfer: {
    label: 'In other text',
    meaning:
      'How much more of what other latents leave it explains in another corpus than in the one that the run is judged on: 0 where it holds as well there.',
    better: 'higher',
    decimals: 3,
  },
  purity: {
    label: 'One direction',
    meaning:
      'Of what other latents leave of the tokens on which it fires, the share that lies along its own direction: less than 1 where it stands for several things, or for noise.',
    better: 'higher',
    decimals: 3,
  },
  worth: {
    label: 'Explains it',
    meaning: 'Of the same, the share that it explains; at most that which lies along its direction.',
    better: 'higher',
    decimals: 3,
  },
  steadiness: {
    label: 'Steady',
    meaning: 'The share of its firings that noise of a tenth of the variance leaves on.',
    better: 'higher',
    decimals: 2,
  },
  neighbour: {
    label: 'Nearest of its own',
    meaning:
      'Cosine with the nearest other latent of its own dictionary: a high one says that one thing was split over several latents.',
    better: 'lower',
    ofCount: true,
    decimals: 2,
  },
  share: {
    label: 'Share of variance',
    meaning: 'Of the variance of all activations, the part that it alone explains.',
    better: 'higher',
    ofCount: true,
    decimals: 5,
  },
  kurtosis: {
    label: 'Rare and strong',
    meaning:
      'Excess kurtosis of the activations along its direction: 0 of noise, large of what is rare and strong.',
    better: 'higher',
    decimals: 1,
  },
  evenness: {
    label: 'Even amounts',
    meaning:
      'Whether it always fires by the same amount: the squared mean of its amounts over their mean square.',
    decimals: 2,
  },
  density: {
    label: 'Density',
    meaning: 'The share of held-out tokens on which it fires.',
    decimals: 4,
  },
};
