/**
 * A sweep over sparsity: dictionaries of one width, trained to several k from several seeds in one pass over the activations,
 * and what they say of the L0 that is right. Nothing of it is kept on disk; it must not know where the result goes.
 */

import type { Dictionary } from '../dictionaries/dictionary.ts';
import { curvesOf, measureSparsity, type SparsityMeasures } from '../evaluation/sparsity/curves.ts';
import { type Curves, readSparsity, type SparsityReading } from '../evaluation/sparsity/proposal.ts';
import { InputError } from '../formats/errors.ts';
import type { RunConfig } from '../runs/config.ts';
import { siteName, siteOf } from '../runs/site.ts';
import { totalSteps } from '../training/options.ts';
import { currentDictionary } from '../training/state.ts';
import { splitBlocks } from '../training/stream.ts';
import { train } from '../training/train.ts';
import { armOf, blocksOf, inRawUnits, resolveTraining, validationActivations } from './learn.ts';
import { type Material, trainingActivations, type Workbench, widthAt } from './subject.ts';
import { refuseTooLarge, sweepMemory } from './sweepMemory.ts';

/** Values of k and seeds that an answer takes. */
const LEAST_KS = 5;
const LEAST_SEEDS = 3;

export interface SparsityPlan {
  /** All but `dictionary.k` and `seed`. */
  readonly config: RunConfig;
  readonly ks: readonly number[];
  readonly seeds: readonly number[];
}

export interface SparsityResult extends SparsityReading {
  readonly measures: SparsityMeasures;
  readonly curves: Curves;
}

/** Values of k at equal ratios, as far as they are apart: from few latents to where s_n can still be taken. */
export function defaultKs(latents: number): number[] {
  const [low, high] = [Math.max(3, latents / 512), Math.min(0.3 * latents, 128)];
  const steps = 12;
  const ks = Array.from({ length: steps + 1 }, (_, i) => Math.round(low * (high / low) ** (i / steps)));
  return [...new Set(ks)];
}

/** InputError where a plan cannot be carried out, or could not be answered. */
export function checkPlan({ config, ks, seeds }: SparsityPlan): void {
  const { dictionary } = config;
  const { autoencoder } = siteOf(config);
  if (!autoencoder)
    throw new InputError(
      `target: found ${siteName(config)}, expected a dictionary that predicts what it reads; leave target out`,
    );
  if (!('k' in dictionary))
    throw new InputError(
      `dictionary.family: ${dictionary.family} has no k to sweep over; take one that has, such as batchtopk`,
    );
  const distinct = new Set(ks);
  if (distinct.size < LEAST_KS || distinct.size < ks.length)
    throw new InputError(`k: found ${ks.join(',')}, expected ${LEAST_KS} different values or more`);
  for (const k of ks)
    if (k > dictionary.latents)
      throw new InputError(`k: found ${k}, expected at most the ${dictionary.latents} latents`);
  if (new Set(seeds).size < LEAST_SEEDS || new Set(seeds).size < seeds.length)
    throw new InputError(
      `seeds: found ${seeds.join(',')}, expected ${LEAST_SEEDS} different ones or more: what seeds differ by is what a dip is measured against`,
    );
}

/** Carries out a plan. InputError as in `checkPlan`, and where there is too little memory unless `force`. Throws where the signal stops it. */
export async function sweepSparsity(
  bench: Workbench,
  plan: SparsityPlan,
  material: Material,
  options: { force?: boolean } = {},
): Promise<SparsityResult> {
  checkPlan(plan);
  const { config, seeds } = plan;
  const { backend, reporter, stopwatch, signal } = bench;
  const ks = [...plan.ks].sort((a, b) => a - b);
  const { inputs } = siteOf(config);
  const width = widthAt(material, inputs);
  const configs = ks.flatMap((k) =>
    seeds.map((seed) =>
      resolveTraining(
        { ...config, seed, dictionary: { ...config.dictionary, k } as RunConfig['dictionary'] },
        width,
        backend,
      ),
    ),
  );
  if (!options.force)
    refuseTooLarge(
      sweepMemory(configs, (hooks) => widthAt(material, hooks)),
      process.availableMemory(),
    );
  const { batch, windowRows, shuffleSeed } = config.training;
  const source = await trainingActivations(bench, material, inputs);
  const blocks = await blocksOf(material, inputs, source, shuffleSeed);
  const arms = configs.map((one) => ({
    ...armOf(bench, one, material, { blocks }),
    validateEvery: undefined,
  }));
  const steps = totalSteps(config.training);
  const trained = await stopwatch.phase(reporter, 'training', 'steps', (update) =>
    train({
      backend,
      stream: { source, batch, windowRows, shuffleSeed },
      arms,
      signal,
      afterStep: (step) => {
        update(step, steps);
        return [];
      },
    }),
  );
  signal?.throwIfAborted();
  const all = await Promise.all(
    trained.map(async ({ state }, i) =>
      inRawUnits(await currentDictionary(backend, state, arms[i].options), arms[i]),
    ),
  );
  const dictionaries = ks.map((_, i): Dictionary[] => all.slice(i * seeds.length, (i + 1) * seeds.length));
  const { activations, rows } = await validationActivations(material, inputs);
  const { x } = splitBlocks(activations, rows, width).read(
    arms[0].input.map((block) => ({ ...block, scale: 1 })),
  );
  const measures = await stopwatch.phase(reporter, 'measuring', 'dictionaries', (onProgress) =>
    measureSparsity(
      backend,
      ks,
      dictionaries,
      { x, rows, width },
      {
        seed: config.seed,
        onProgress: (done, total) => {
          signal?.throwIfAborted();
          onProgress(done, total);
        },
      },
    ),
  );
  const curves = curvesOf(measures);
  return { measures, curves, ...readSparsity(curves, config.seed) };
}
