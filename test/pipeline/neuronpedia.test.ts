import { expect, test } from 'vitest';
import { dashboardFeature } from '../../src/pipeline/neuronpedia.ts';
import { randomDictionary } from '../dictionaries/interop/helpers.ts';
import { syntheticLatents, syntheticRun } from '../report/syntheticRun.ts';

/** The fields of SAEDashboard's NeuronpediaDashboardFeature, which takes no others. */
const KEYS = [
  'feature_index',
  'neuron_alignment_indices',
  'neuron_alignment_values',
  'neuron_alignment_l1',
  'correlated_neurons_indices',
  'correlated_neurons_l1',
  'correlated_neurons_pearson',
  'correlated_features_indices',
  'correlated_features_l1',
  'correlated_features_pearson',
  'neg_str',
  'neg_values',
  'pos_str',
  'pos_values',
  'frac_nonzero',
  'freq_hist_data_bar_values',
  'freq_hist_data_bar_heights',
  'logits_hist_data_bar_heights',
  'logits_hist_data_bar_values',
  'n_prompts_total',
  'n_tokens_in_prompt',
  'dataset',
  'decoder_weights_dist',
  'activations',
];

const run = syntheticRun();
const dictionary = randomDictionary({ kind: 'topk', k: 3 });
const { features, examples } = syntheticLatents(24);
const of = (latent: number) =>
  dashboardFeature(
    run,
    dictionary,
    features[latent],
    examples.filter((one) => one.latent === latent),
  );

test('no key that the importer does not know', () => {
  for (const key of Object.keys(of(3))) expect(KEYS).toContain(key);
});

test('what the run knows is there as it is in the run', () => {
  const found = of(5);
  const feature = features[5];
  expect(found).toMatchObject({
    feature_index: 5,
    frac_nonzero: feature.density,
    pos_str: feature.promotedTokens,
    pos_values: feature.promotedLogits,
    neg_str: feature.suppressedTokens,
    neg_values: feature.suppressedLogits,
    dataset: 'self',
    n_tokens_in_prompt: 256,
  });
});

test('what the run does not know is left out', () => {
  const found = of(5);
  for (const key of ['correlated_features_pearson', 'freq_hist_data_bar_values', 'n_prompts_total'])
    expect(found).not.toHaveProperty(key);
});

test('neurons are the largest elements of the decoder row, with their share of its L1 norm', () => {
  const {
    neuron_alignment_indices: indices,
    neuron_alignment_values: values,
    neuron_alignment_l1: shares,
  } = of(7);
  const row = [...dictionary.decoderWeight.subarray(7 * 8, 8 * 8)];
  expect(values).toEqual([...row].sort((a, b) => b - a).slice(0, 3));
  expect(indices.map((index) => row[index])).toEqual(values);
  const norm = row.reduce((sum, value) => sum + Math.abs(value), 0);
  for (const [i, share] of shares.entries()) expect(share).toBeCloseTo(Math.abs(values[i]) / norm, 6);
});

test('examples come strongest first, then tenth by tenth with the bounds of each', () => {
  const { activations } = of(2);
  expect(activations).toHaveLength(48);
  const top = activations.filter(({ bin_min }) => bin_min === -1);
  expect(activations.slice(0, 8)).toEqual(top);
  expect(top[0]).toMatchObject({ bin_max: features[2].maxActivation, bin_contains: -1 });
  const bins = activations.slice(8);
  for (const { bin_min, bin_max, bin_contains, values, qualifying_token_index: at } of bins) {
    expect(bin_contains).toBeCloseTo(features[2].density / 10, 12);
    expect(values[at]).toBeGreaterThanOrEqual(bin_min);
    expect(values[at]).toBeLessThanOrEqual(bin_max);
  }
  const floors = bins.map(({ bin_min }) => bin_min);
  expect(floors).toEqual([...floors].sort((a, b) => b - a));
});

test('a latent that never fired has no activations', () => {
  const { features } = syntheticLatents(80);
  expect(
    dashboardFeature(run, randomDictionary({ kind: 'topk', k: 3 }, { latents: 80 }), features[74], [])
      .activations,
  ).toEqual([]);
});
