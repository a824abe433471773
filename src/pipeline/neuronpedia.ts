/**
 * From an evaluated run to the dashboards that Neuronpedia imports: `batch-<n>.json`, as SAEDashboard writes them
 * (`sae_dashboard/neuronpedia/neuronpedia_dashboard.py`). What a run does not know is left out, and Neuronpedia's
 * defaults take its place: correlations, histograms, the number of prompts, head attributions. It must not know how any
 * number was got.
 */
import { join } from 'node:path';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { readDictionary } from '../dictionaries/interop/index.ts';
import { writeDirAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { InputError } from '../formats/errors.ts';
import { RUN_FILES, readRun } from '../runs/directory.ts';
import type { Example, Feature, Run } from '../runs/schema.ts';
import { siteOf } from '../runs/site.ts';
import { readExamples, readFeatures } from '../runs/tables.ts';

/** Latents in a file, SAEDashboard's default. */
const BATCH = 128;
/** Rows of a dashboard's table of neurons. */
const NEURONS = 3;
/** What stands for the bounds and the share of the strongest examples, which are of no interval. */
const OF_TOP = -1;

interface DashboardActivation {
  bin_min: number;
  bin_max: number;
  bin_contains: number;
  tokens: string[];
  values: number[];
  qualifying_token_index: number;
}

export interface DashboardFeature {
  feature_index: number;
  neuron_alignment_indices: number[];
  neuron_alignment_values: number[];
  neuron_alignment_l1: number[];
  neg_str: string[];
  neg_values: number[];
  pos_str: string[];
  pos_values: number[];
  frac_nonzero: number;
  n_tokens_in_prompt: number;
  dataset?: string;
  activations: DashboardActivation[];
}

/**
 * Writes the dashboards of all latents of the run in `runDirectory` into `out`, which must not exist, and gives the names
 * of its files. InputError where the run's latents are not explained yet, or do not fit its dictionary.
 */
export async function writeNeuronpedia(runDirectory: string, out: string): Promise<string[]> {
  const run = await readRun(runDirectory);
  const features = await readFeatures(runDirectory);
  if (!features) {
    throw new InputError(
      `${runDirectory}: its latents are not explained yet: monosem evaluate ${runDirectory}`,
    );
  }
  const { dictionary } = await readDictionary(join(runDirectory, RUN_FILES.dictionary));
  const beyond = features.find(({ latent }) => latent >= dictionary.latents);
  if (beyond) {
    throw new InputError(
      `${join(runDirectory, RUN_FILES.features)}: has a latent ${beyond.latent}, but the dictionary has only ${dictionary.latents}`,
    );
  }
  const files: string[] = [];
  await writeDirAtomic(out, async (temporary) => {
    for (let first = 0; first < features.length; first += BATCH) {
      const some = features.slice(first, first + BATCH);
      const examples = await readExamples(runDirectory, new Set(some.map(({ latent }) => latent)));
      const byLatent = groupedBy(examples ?? [], 'latent');
      const batch = {
        ...placeOf(run),
        features: some.map((feature) =>
          dashboardFeature(run, dictionary, feature, byLatent.get(feature.latent) ?? []),
        ),
      };
      files.push(`batch-${first / BATCH}.json`);
      await writeFileAtomic(join(temporary, files.at(-1)!), `${JSON.stringify(batch)}\n`);
    }
  });
  return files;
}

/** Neuronpedia's address of the dictionary; several hook points, or one outside the blocks, have no layer. */
function placeOf({ name, config, model }: Run): { model_id: string; layer: number | null; sae_set: string } {
  const { inputs } = siteOf(config);
  const layer = inputs.length === 1 ? /^blocks\.(\d+)\./.exec(inputs[0])?.[1] : undefined;
  return {
    model_id: model?.name ?? config.model,
    layer: layer === undefined ? null : Number(layer),
    sae_set: name,
  };
}

/** One latent's dashboard. */
export function dashboardFeature(
  { config, corpus }: Run,
  dictionary: Dictionary,
  feature: Feature,
  examples: readonly Example[],
): DashboardFeature {
  return {
    feature_index: feature.latent,
    ...alignment(dictionary, feature.latent),
    neg_str: feature.suppressedTokens,
    neg_values: feature.suppressedLogits,
    pos_str: feature.promotedTokens,
    pos_values: feature.promotedLogits,
    frac_nonzero: feature.density,
    n_tokens_in_prompt: config.corpus.context,
    ...(corpus && { dataset: corpus.name }),
    activations: activations(feature, examples),
  };
}

/** The largest elements of the decoder row, and the share of the row's L1 norm that each is. */
function alignment({ decoderWeight, outputWidth }: Dictionary, latent: number) {
  const row = decoderWeight.subarray(latent * outputWidth, (latent + 1) * outputWidth);
  const norm = row.reduce((sum, value) => sum + Math.abs(value), 0);
  const largest = Array.from(row, (value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, NEURONS);
  return {
    neuron_alignment_indices: largest.map(({ index }) => index),
    neuron_alignment_values: largest.map(({ value }) => value),
    neuron_alignment_l1: largest.map(({ value }) => (norm > 0 ? Math.abs(value) / norm : 0)),
  };
}

/**
 * The strongest examples, then those of each tenth of the latent's activations, strongest tenth first. A tenth's bounds
 * are those of its examples, which are a uniform sample; it holds a tenth of the firings.
 */
function activations(feature: Feature, examples: readonly Example[]): DashboardActivation[] {
  const groups = groupedBy(examples, 'quantile');
  const order = [...groups.keys()].sort((a, b) => (a === -1 ? -1 : b === -1 ? 1 : b - a));
  return order.flatMap((quantile) => {
    const members = groups.get(quantile)!;
    const values = members.map(({ activation }) => activation);
    const bin =
      quantile === -1
        ? { bin_min: OF_TOP, bin_max: feature.maxActivation, bin_contains: OF_TOP }
        : { bin_min: Math.min(...values), bin_max: Math.max(...values), bin_contains: feature.density / 10 };
    return [...members]
      .sort((a, b) => a.rank - b.rank)
      .map(({ tokens, activations, focus }) => ({
        ...bin,
        tokens,
        values: activations,
        qualifying_token_index: focus,
      }));
  });
}

function groupedBy(examples: readonly Example[], key: 'latent' | 'quantile'): Map<number, Example[]> {
  const groups = new Map<number, Example[]>();
  for (const example of examples) {
    const group = groups.get(example[key]);
    if (group) group.push(example);
    else groups.set(example[key], [example]);
  }
  return groups;
}
