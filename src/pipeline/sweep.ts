/**
 * Many dictionaries at once. Arms that can share a stream are trained in one pass over the activations, with the nulls that
 * read the same rows; those of re-initialised weights in another; and all are evaluated in one go; each comes to the bytes of the same configuration run alone. What is done is read
 * off the directory, so a sweep that was stopped or killed goes on from there. It must not know of terminals.
 */
import { join } from 'node:path';
import { InputError } from '../formats/errors.ts';
import { checkHook } from '../models/hooks.ts';
import { scaled } from '../report/numbers.ts';
import type { RunConfig } from '../runs/config.ts';
import {
  appendMetrics,
  exists,
  RUN_FILES,
  readRun,
  truncateMetrics,
  updateRun,
  writeEvaluation,
} from '../runs/directory.ts';
import type { Sweep } from '../runs/grid.ts';
import { isEvaluated, type MetricsLine, type Run } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { createSweep, readSweep, updateSweep } from '../runs/sweepDirectory.ts';
import { evaluateAll } from './evaluate.ts';
import { learn, resolveTraining } from './learn.ts';
import { nullDirectory, nullLessons, nullsOfKind } from './nulls.ts';
import { describe, firstRecord, trainedRecord } from './records.ts';
import {
  isFile,
  loadMaterial,
  type Material,
  precisionOf,
  reinitialised,
  type Workbench,
  widthAt,
} from './subject.ts';
import { refuseTooLarge, sweepMemory } from './sweepMemory.ts';
import { applyStops, referee } from './sweepRungs.ts';

interface Arm {
  readonly dir: string;
  readonly config: RunConfig;
}

/** Arms that read one stream, and the material that it is of. */
interface Pass {
  readonly arms: readonly Arm[];
  readonly material: Material;
  readonly hooks: readonly string[];
}

/**
 * Trains and evaluates all arms of `sweep` into the new directory `dir`. False where the signal stopped it: it can then
 * be resumed. InputError where `dir` exists, and where the machine has too little memory unless `force`.
 */
export async function runSweep(
  bench: Workbench,
  sweep: Sweep,
  dir: string,
  options: { force?: boolean } = {},
): Promise<boolean> {
  if (await exists(dir)) {
    throw new InputError(
      `${dir}: it exists already; choose another name, or go on with it: monosem sweep --resume ${dir}`,
    );
  }
  const materialOf = subjects(bench);
  const configs: RunConfig[] = [];
  for (const config of sweep.configs) {
    const material = await materialOf(config);
    const site = siteOf(config);
    if (!isFile(material))
      for (const hook of [...site.inputs, ...site.outputs]) checkHook(material.model.config, hook);
    configs.push(resolveTraining(config, widthAt(material, site.inputs), bench.backend));
  }
  const arms = configs.map((config) => ({ config, dir: join(dir, config.name) }));
  checkMemory(bench, await passesOf(arms, materialOf), options.force ?? false);
  const runs: Run[] = [];
  for (const config of configs) runs.push(await firstRecord(bench, config));
  await createSweep(
    dir,
    {
      format: 1,
      name: sweep.name,
      created: new Date().toISOString(),
      arms: configs.map(({ name }) => name),
      halving: sweep.halving,
      rungs: [],
      timing: {},
    },
    runs,
  );
  return goOn(bench, dir, materialOf);
}

/** Goes on with the sweep in `dir` from wherever it stands; what is finished is not done again. */
export async function resumeSweep(
  bench: Workbench,
  dir: string,
  options: { force?: boolean } = {},
): Promise<boolean> {
  const materialOf = subjects(bench);
  bench.stopwatch.goOn((await readSweep(dir)).timing);
  const open = await openArms(dir);
  checkMemory(bench, await passesOf(open, materialOf), options.force ?? false);
  return goOn(bench, dir, materialOf);
}

async function goOn(
  bench: Workbench,
  dir: string,
  materialOf: (config: RunConfig) => Promise<Material>,
): Promise<boolean> {
  try {
    await applyStops(dir);
    const { arms } = await readSweep(dir);
    const all = await Promise.all(arms.map((name) => armIn(join(dir, name))));
    for (const pass of await passesOf(all, materialOf)) {
      if (!(await trainPass(bench, dir, pass))) return await interrupted(bench, dir);
    }
    for (const material of new Set(await Promise.all(all.map(({ config }) => materialOf(config))))) {
      const open: Arm[] = [];
      for (const arm of await openArms(dir)) if ((await materialOf(arm.config)) === material) open.push(arm);
      await evaluateArms(bench, material, open);
    }
    await updateSweep(dir, { timing: bench.stopwatch.timing });
    return true;
  } catch (error) {
    // What stopped the work, a full disk say, may also stop this; then the first error is the one to tell.
    await interrupted(bench, dir).catch(() => undefined);
    throw error;
  }
}

/** Trains what of a pass is not trained yet, then the nulls of re-initialised weights. False where the signal stopped it. */
async function trainPass(bench: Workbench, dir: string, { arms, material, hooks }: Pass): Promise<boolean> {
  const untrained: Arm[] = [];
  for (const arm of arms) if (!(await isDone(arm.dir)) && !(await isTrained(arm))) untrained.push(arm);
  if (untrained.length > 0) {
    const described = describe(material);
    for (const arm of untrained) await updateRun(arm.dir, { status: 'running', ...described });
    const lessons = untrained.map((arm) => ({
      ...arm,
      resume: true,
      onStart: (step: number) => truncateMetrics(arm.dir, step),
      onLine: (line: MetricsLine) => appendMetrics(arm.dir, line),
    }));
    const besides = untrained.map(({ config, dir }) => nullLessons(config, dir, true));
    // Each arm's nulls go as far as it does.
    const owners = besides.flatMap((nulls, i) => nulls.map(() => i));
    const decide = await referee(dir, untrained);
    const afterStep: typeof decide =
      decide &&
      (async (step, metrics) => {
        const stopped = await decide(step, metrics.slice(0, lessons.length));
        const withThem = [...owners.keys()].filter((n) => stopped.includes(owners[n]));
        return [...stopped, ...withThem.map((n) => lessons.length + n)];
      });
    const all = [...lessons, ...besides.flat()];
    const results = await learn(bench, all, material, { phase: 'training', hooks, afterStep });
    for (const [i, { dir: own, config }] of untrained.entries()) {
      const ofNulls = results.slice(lessons.length).filter((_, n) => owners[n] === i);
      await updateRun(own, trainedRecord(bench, config, material, results[i], { besides: ofNulls }));
    }
    await applyStops(dir);
    if (results.some(({ end }) => end === 'interrupted')) return false;
  }
  if (isFile(material)) return true;
  const withoutNull: Arm[] = [];
  for (const arm of arms) {
    const wanted = nullsOfKind(arm.config, 'reinitialised').length > 0 && !(await isDone(arm.dir));
    if (wanted && !(await hasDictionary(nullDirectory(arm.dir, 'reinitialised')))) withoutNull.push(arm);
  }
  // The weights of the null's model are drawn from the run's seed.
  for (const seed of new Set(withoutNull.map(({ config }) => config.seed))) {
    const ofSeed = withoutNull.filter(({ config }) => config.seed === seed);
    const reset = await reinitialised(bench, ofSeed[0].config, material);
    const lessons = ofSeed.map(({ config, dir }) => ({
      config,
      dir: nullDirectory(dir, 'reinitialised'),
      resume: true,
    }));
    const results = await learn(bench, lessons, reset, { phase: 'training of the null', hooks });
    if (results.some(({ end }) => end === 'interrupted')) return false;
  }
  return true;
}

async function evaluateArms(bench: Workbench, material: Material, arms: readonly Arm[]): Promise<void> {
  const evaluations = await evaluateAll(bench, material, arms);
  for (const [i, { dir }] of arms.entries()) {
    await writeEvaluation(dir, evaluations[i]);
    await updateRun(dir, { status: 'evaluated' });
  }
}

/** Notes that the sweep was interrupted, of itself and of every arm that is not done. */
async function interrupted({ stopwatch }: Workbench, dir: string): Promise<false> {
  await updateSweep(dir, { timing: stopwatch.timing });
  for (const arm of await openArms(dir)) await updateRun(arm.dir, { status: 'interrupted' });
  return false;
}

async function armIn(dir: string): Promise<Arm> {
  return { dir, config: (await readRun(dir)).config };
}

async function openArms(dir: string): Promise<Arm[]> {
  const open: Arm[] = [];
  for (const name of (await readSweep(dir)).arms) {
    const arm = join(dir, name);
    if (!(await isDone(arm))) open.push(await armIn(arm));
  }
  return open;
}

/** Nothing is left to do: evaluated, or stopped at a rung. */
async function isDone(dir: string): Promise<boolean> {
  const run = await readRun(dir);
  return isEvaluated(run) || run.status === 'stopped';
}

/** Its own dictionary is there, and those that are trained beside it. */
async function isTrained({ dir, config }: Arm): Promise<boolean> {
  const { training, activations } = await readRun(dir);
  if (training === undefined || activations === undefined) return false;
  const nulls = nullsOfKind(config, 'trained').map(({ name }) => nullDirectory(dir, name));
  const there = await Promise.all([dir, ...nulls].map(hasDictionary));
  return there.every((one) => one);
}

function hasDictionary(dir: string): Promise<boolean> {
  return exists(join(dir, RUN_FILES.dictionary));
}

/** Loads each material once, whoever of the arms asks for it. */
function subjects(bench: Workbench): (config: RunConfig) => Promise<Material> {
  const loaded = new Map<string, Promise<Material>>();
  return (config) => {
    const { activations, model, corpus } = config;
    const key = JSON.stringify([activations, model, corpus, precisionOf(bench.backend, config)]);
    const material = loaded.get(key) ?? loadMaterial(bench, config);
    loaded.set(key, material);
    return material;
  };
}

/** The arms by what they can share: a material, and how its activations are cut into batches. */
async function passesOf(
  arms: readonly Arm[],
  materialOf: (config: RunConfig) => Promise<Material>,
): Promise<Pass[]> {
  const passes: { arms: Arm[]; material: Material; key: string }[] = [];
  for (const arm of arms) {
    const { batch, windowRows, shuffleSeed } = arm.config.training;
    const key = JSON.stringify([batch, windowRows, shuffleSeed]);
    const material = await materialOf(arm.config);
    const pass = passes.find((other) => other.material === material && other.key === key);
    if (pass) pass.arms.push(arm);
    else passes.push({ arms: [arm], material, key });
  }
  return passes.map(({ arms, material }) => ({
    arms,
    material,
    hooks: hooksOf(arms.map(({ config }) => siteOf(config))),
  }));
}

function checkMemory({ reporter }: Workbench, passes: readonly Pass[], force: boolean): void {
  const forecasts = passes.map(({ arms, material }) =>
    sweepMemory(
      arms.map(({ config }) => config),
      (hooks) => widthAt(material, hooks),
    ),
  );
  const sum = ({ states, workspaces, windows }: (typeof forecasts)[number]) => states + workspaces + windows;
  const largest = forecasts.reduce((a, b) => (sum(b) > sum(a) ? b : a), {
    states: 0,
    workspaces: 0,
    windows: 0,
  });
  const available = process.availableMemory();
  const arms = passes.reduce((count, pass) => count + pass.arms.length, 0);
  reporter.note(
    `${arms} arms in ${passes.length} ${passes.length === 1 ? 'pass' : 'passes'}; about ${scaled(sum(largest))}B of memory of ${scaled(available)}B free`,
  );
  if (!force) refuseTooLarge(largest, available);
}
