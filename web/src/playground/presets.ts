/** Places to begin: what is seen there, and the state that shows it. It must not know how it is shown. */
import { DEFAULTS, type PlaygroundState } from './state.ts';

export interface Preset {
  readonly name: string;
  readonly shows: string;
  readonly state: PlaygroundState;
}

const preset = (name: string, shows: string, changes: Partial<PlaygroundState>): Preset => ({
  name,
  shows,
  state: { ...DEFAULTS, ...changes },
});

export const PRESETS: readonly Preset[] = [
  preset('antipodal pair', 'two sparse features share one dimension', {
    features: 2,
    hidden: 1,
    probability: 0.05,
  }),
  preset('pentagon', 'five sparse features of equal importance in the plane', {}),
  preset('no superposition', 'dense features: the two most important have the plane to themselves', {
    importance: 0.6561,
    probability: 1,
  }),
  preset('the paper’s five', 'importance .9ⁱ: how many are stored as sparsity grows', {
    importance: 0.6561,
    probability: 0.1,
  }),
  preset('correlated pairs', 'two that fire together are stored at right angles', {
    features: 4,
    correlation: 1,
  }),
  preset('anticorrelated pairs', 'two that never fire together are stored as opposites', {
    features: 4,
    correlation: -1,
    restarts: 16,
  }),
  preset('twenty in five', 'shapes beyond the plane', {
    features: 20,
    hidden: 5,
    probability: 0.05,
    steps: 2000,
  }),
  preset(
    'what a dictionary finds',
    'a TopK dictionary on the hidden layer of twelve features in six dimensions',
    {
      features: 12,
      hidden: 6,
      probability: 0.05,
      dictionary: 'topk',
      latents: 16,
      k: 1,
    },
  ),
];
