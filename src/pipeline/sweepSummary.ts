/** What came of a sweep, read off its directory: the numbers of each arm, and what its sparsity knob did. */
import { join } from 'node:path';
import { type Elasticity, elasticities, type Knob, keepsToK, knobOf } from '../evaluation/knob.ts';
import { readEvaluation, readMetrics, readRun } from '../runs/directory.ts';
import { type Evaluation, isEvaluated, type Run } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { readSweep } from '../runs/sweepDirectory.ts';

export interface ArmSummary {
  readonly name: string;
  readonly site: string;
  readonly status: Run['status'];
  readonly stopped?: Run['stopped'];
  readonly training?: Run['training'];
  readonly latents: number;
  /** What was asked of it, and the latents that fire on a token of the validation rows. */
  readonly knob?: Knob;
  readonly validationL0?: number;
  /** L0 on the test split is off the k that was asked for. */
  readonly offK: boolean;
  readonly metrics?: Evaluation['metrics'];
}

export interface SweepSummary {
  readonly directory: string;
  readonly name: string;
  readonly arms: readonly ArmSummary[];
  /** Between neighbouring arms that differ in nothing but the knob. */
  readonly elasticities: readonly Elasticity[];
}

export async function summariseSweep(directory: string): Promise<SweepSummary> {
  const { name, arms: names } = await readSweep(directory);
  const found = await Promise.all(names.map((arm) => summariseArm(join(directory, arm))));
  const points = found.flatMap(({ arm, rest }) =>
    isEvaluated(arm) && arm.knob && arm.validationL0 !== undefined
      ? [{ arm: arm.name, knob: arm.knob, rest, l0: arm.validationL0 }]
      : [],
  );
  return { directory, name, arms: found.map(({ arm }) => arm), elasticities: elasticities(points) };
}

async function summariseArm(dir: string): Promise<{ arm: ArmSummary; rest: string }> {
  const { name, config, status, stopped, training } = await readRun(dir);
  const evaluation = await readEvaluation(dir);
  const looks = (await readMetrics(dir)).filter(({ validationL0 }) => validationL0 !== undefined);
  const { dictionary } = config;
  const knob = knobOf(dictionary);
  const l0 = evaluation?.metrics.l0.value ?? undefined;
  // Where k starts is k itself unless it was said otherwise, and then follows the knob.
  const { kStart } = config.training;
  const told = {
    ...config,
    name: '',
    training: { ...config.training, kStart: kStart === knob?.asked ? 0 : kStart },
  };
  return {
    arm: {
      name,
      site: siteName(config),
      status,
      ...(stopped && { stopped }),
      ...(training && { training }),
      latents: dictionary.latents,
      ...(knob && { knob }),
      validationL0: looks.at(-1)?.validationL0,
      offK: knob?.name === 'k' && l0 !== undefined && !keepsToK(knob.asked, l0),
      metrics: evaluation?.metrics,
    },
    rest: JSON.stringify({ ...told, dictionary: { ...dictionary, ...(knob && { [knob.name]: 0 }) } }),
  };
}
