/**
 * Successive halving in a sweep: at a rung it puts the arms before `training/halving.ts`, and writes down what was
 * decided before anybody acts on it, so that a sweep that is killed does not decide again.
 */
import { basename, join } from 'node:path';
import type { RunConfig } from '../runs/config.ts';
import { readRun, updateRun } from '../runs/directory.ts';
import { isEvaluated } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { type Rung, readSweep, updateSweep } from '../runs/sweepDirectory.ts';
import { stopsAtRung } from '../training/halving.ts';
import { totalSteps } from '../training/options.ts';
import type { ArmMetrics, TrainRequest } from '../training/train.ts';
import { validateEvery } from './learn.ts';

interface Arm {
  readonly dir: string;
  readonly config: RunConfig;
}

/** What decides after each step who goes no further; undefined where the sweep has no halving. */
export async function referee(dir: string, arms: readonly Arm[]): Promise<TrainRequest['afterStep']> {
  const sweep = await readSweep(dir);
  const { halving } = sweep;
  if (!halving) return undefined;
  let { rungs } = sweep;
  const names = arms.map((arm) => basename(arm.dir));
  const rungSteps = arms.map(({ config }) => rungStepsOf(config.training, halving.rungs));
  return async (step, metrics) => {
    const decided = new Set(rungs.filter((rung) => rung.step === step).flatMap((rung) => rung.arms));
    const here = [...arms.keys()].filter(
      (i) => rungSteps[i].includes(step) && isMeasured(metrics[i]) && !decided.has(names[i]),
    );
    if (here.length === 0) return [];
    const measured = here.map((i) => metrics[i] as Required<ArmMetrics>);
    const contenders = here.map((i, c) => ({
      kind: JSON.stringify([siteName(arms[i].config), totalSteps(arms[i].config.training)]),
      recipe: JSON.stringify({ ...arms[i].config, name: '', seed: 0 }),
      latents: arms[i].config.dictionary.latents,
      l0: measured[c].validationL0,
      fvu: measured[c].validationFvu,
    }));
    const stopped = stopsAtRung(contenders, halving).map(({ loser, winner }) => ({
      arm: names[here[loser]],
      step,
      fvu: contenders[loser].fvu,
      l0: contenders[loser].l0,
      by: names[here[winner]],
      byFvu: contenders[winner].fvu,
      byL0: contenders[winner].l0,
    }));
    ({ rungs } = await updateSweep(dir, {
      rungs: [...rungs, { step, arms: here.map((i) => names[i]), stopped }],
    }));
    return stopped.map(({ arm }) => names.indexOf(arm));
  };
}

/** Writes what was decided at the rungs into run.json of the arms that stopped. */
export async function applyStops(dir: string): Promise<void> {
  for (const { arm, ...stopped } of (await readSweep(dir)).rungs.flatMap((rung: Rung) => rung.stopped)) {
    const { status } = await readRun(join(dir, arm));
    // An arm that somebody trained to its end after all is none of the sweep's business.
    if (!isEvaluated({ status })) await updateRun(join(dir, arm), { status: 'stopped', stopped });
  }
}

/** The first looks at the validation rows at or after these shares of the steps; the last step is no rung. */
function rungStepsOf(training: RunConfig['training'], shares: readonly number[]): number[] {
  const [total, every] = [totalSteps(training), validateEvery(training)];
  return shares.map((share) => Math.ceil((share * total) / every) * every).filter((step) => step < total);
}

function isMeasured(metrics: ArmMetrics | undefined): boolean {
  return metrics?.validationFvu !== undefined && metrics.validationL0 !== undefined;
}
