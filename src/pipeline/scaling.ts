/** Scaling laws of the runs in a directory: those of one family at one place in one model are fitted together. */

import {
  fitCompute,
  fitLatents,
  type Refusal,
  type ScalingFit,
  type ScalingPoint,
} from '../evaluation/scaling.ts';
import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';
import { listRuns, readEvaluation } from '../runs/directory.ts';
import type { Run } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';

export interface ScalingReport {
  /** Family, hook point and model, for people. */
  readonly of: string;
  readonly runs: number;
  readonly arms: number;
  readonly laws: readonly (ScalingFit | Refusal)[];
}

/**
 * The laws of Gao et al. 2024 on the FVU of the test split, by training FLOPs and by latents and measured L0. `left` are runs
 * that have no such number, with the reason. InputError where no run has.
 */
export async function scalingOf(
  directory: string,
  { seed = 0, resamples = 500 }: { seed?: number; resamples?: number } = {},
): Promise<{ reports: ScalingReport[]; left: string[] }> {
  const left: string[] = [];
  const groups = new Map<string, ScalingPoint[]>();
  for (const listed of await listRuns(directory)) {
    const found = 'error' in listed ? listed.error : await pointOf(listed.directory, listed.run);
    if (typeof found === 'string') left.push(found);
    else groups.set(found.of, [...(groups.get(found.of) ?? []), found.point]);
  }
  if (groups.size === 0) {
    const why = left.length > 0 ? `: ${left.join('; ')}` : '';
    throw new InputError(
      `${directory}: expected a directory of evaluated runs, such as a sweep; found none${why}`,
    );
  }
  const reports = [...groups].map(([of, points]) => {
    const options = (law: string) => ({ random: new Random(seed, 'scaling', of, law), resamples });
    return {
      of,
      runs: points.length,
      arms: new Set(points.map(({ arm }) => arm)).size,
      laws: [fitCompute(points, options('compute')), fitLatents(points, options('latents'))],
    };
  });
  return { reports, left };
}

/** A run as a point, or why it is none. */
async function pointOf(
  directory: string,
  { config, flops }: Run,
): Promise<{ of: string; point: ScalingPoint } | string> {
  const evaluation = await readEvaluation(directory);
  if (!evaluation) return `${directory} is not evaluated (monosem evaluate ${directory})`;
  const { fvu, l0 } = evaluation.metrics;
  const numbers = { loss: fvu?.value, l0: l0?.value, flops: flops.training };
  for (const [name, value] of Object.entries(numbers))
    if (!(typeof value === 'number' && value > 0)) return `${directory} has no ${name} above 0`;
  const { name: _, seed: __, ...arm } = config;
  return {
    of: `${config.dictionary.family}, ${siteName(config)}, ${config.model}`,
    point: {
      ...(numbers as { loss: number; l0: number; flops: number }),
      arm: JSON.stringify(withoutSeeds(arm)),
      latents: config.dictionary.latents,
    },
  };
}

/** The seed of the order of the data is a seed too. */
function withoutSeeds(config: Omit<Run['config'], 'name' | 'seed'>): object {
  const { shuffleSeed: _, ...training } = config.training;
  return { ...config, training };
}
