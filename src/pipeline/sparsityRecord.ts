/** What sparsity.json says of a sweep over sparsity: means over seeds with their intervals. It must not know how it was swept. */
import type { Optimum } from '../evaluation/sparsity/optimum.ts';
import { mean } from '../math/statistics.ts';
import { studentInterval } from '../math/student.ts';
import type { SparsityFile } from '../runs/sparsity.ts';
import { monosemVersion } from '../version.ts';
import { machineOf } from './records.ts';
import type { SparsityPlan, SparsityResult } from './sparsity.ts';
import type { Workbench } from './subject.ts';

/** The part of the file that the result alone decides: the same seeds, the same content. */
export function sparsityContent({
  measures,
  optima,
  proposal,
  distortion,
}: SparsityResult): Pick<
  SparsityFile,
  'points' | 'distortions' | 'distortion' | 'floors' | 'optima' | 'proposal'
> {
  const { k, l0BySeed, fvu, values, bits, floors } = measures;
  return {
    points: k.map((asked, i) => ({
      k: asked,
      l0: overSeeds(l0BySeed[i]),
      fvu: overSeeds(fvu[i]),
      decoderCosine: overSeeds(values.decoderCosine[i]),
      projection: overSeeds(values.projection[i]),
      knee: overSeeds(values.knee[i]),
      consensus: overSeeds(values.consensus[i]),
      bits: bits.map((at) => overSeeds(at.values[i])),
    })),
    distortions: bits.map((at) => at.fvu),
    distortion,
    floors: {
      decoderCosine: orNull(floors.decoderCosine),
      projection: orNull(floors.projection),
      consensus: orNull(floors.consensus),
    },
    optima: {
      decoderCosine: written(optima.decoderCosine),
      projection: written(optima.projection),
      descriptionLength: written(optima.descriptionLength),
      knee: written(optima.knee),
      consensus: written(optima.consensus),
    },
    proposal: proposal.kind === 'identified' ? { ...proposal, agreeing: [...proposal.agreeing] } : proposal,
  };
}

/** All of sparsity.json. */
export async function sparsityRecord(
  { backend, stopwatch }: Workbench,
  { config, seeds }: SparsityPlan,
  result: SparsityResult,
): Promise<SparsityFile> {
  return {
    format: 1,
    name: config.name,
    created: new Date().toISOString(),
    config,
    seeds: [...seeds],
    ...sparsityContent(result),
    versions: { monosem: await monosemVersion(), node: process.versions.node },
    machine: machineOf(backend),
    timing: stopwatch.timing,
  };
}

function overSeeds(values: readonly number[]): {
  value: number | null;
  low: number | null;
  high: number | null;
} {
  if (!values.every(Number.isFinite)) return { value: orNull(mean(values)), low: null, high: null };
  const { value, low, high } = studentInterval(values);
  return { value, low: orNull(low), high: orNull(high) };
}

function written(optimum: Optimum) {
  if (optimum.kind === 'none') return optimum;
  const { value, low, high } = optimum.dip;
  return { ...optimum, dip: { value: orNull(value), low: orNull(low), high: orNull(high) } };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
