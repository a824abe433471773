/**
 * A run in about ten seconds: every phase of it is done for a moment by the very functions that a run calls, on its own
 * model, shapes and sizes of arrays, and the time is multiplied by what there is to do. Arrays that a run holds are held
 * here at their full size and in the same order, so that the memory of this process grows as that of the run will, garbage
 * included. That is why it wants a process of its own. It must not know how a forecast is shown.
 */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../activations/cache.ts';
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import { writeSaelens } from '../../dictionaries/interop/saelens.ts';
import { InputError } from '../../formats/errors.ts';
import { bytesAt } from '../../formats/size.ts';
import { scaled } from '../../report/numbers.ts';
import type { RunConfig } from '../../runs/config.ts';
import { RUN_FILES } from '../../runs/directory.ts';
import { hooksOf, siteOf } from '../../runs/site.ts';
import { currentDictionary } from '../../training/state.ts';
import type { Arm } from '../../training/train.ts';
import { type Seconds, sum, times } from '../clock.ts';
import { footprint } from '../footprint.ts';
import {
  armOf,
  blocksOf,
  inRawUnits,
  type Lesson,
  resolveTraining,
  validationActivations,
} from '../learn.ts';
import { nullDirectory, nullLessons, nullsOfKind } from '../nulls.ts';
import { reinitialised, type Subject, storeDirectory, type Workbench, widthAt } from '../subject.ts';
import { type HarvestRehearsal, rehearseHarvest } from './activations.ts';
import { rehearseAtlas } from './atlas.ts';
import { Meter } from './meter.ts';
import { rehearseEvaluation, rehearseExplanation, rehearseKeeping, type Trained } from './results.ts';
import { rehearseSubject } from './subject.ts';
import { ASSUMED_L0, rehearseTraining, type TrainingRehearsal } from './training.ts';

export interface Rehearsal {
  readonly subject: Subject;
  /** The configuration with every `auto` resolved. */
  readonly config: RunConfig;
  /** Seconds that each phase of the run will take, by the names in its timing. */
  readonly phases: Readonly<Record<string, Seconds>>;
  /** Peak resident set of this process at the end of each phase, in bytes. */
  readonly memory: Readonly<Record<string, number>>;
  /** What the run will leave on disk, in bytes, as `diskOf` names it. */
  readonly disk: Readonly<Record<string, number>>;
  /** Activations that are harvested. */
  readonly rows: number;
  readonly width: number;
  /** Latents that fire on a token, on average over the training. */
  readonly l0: number;
  /** What is in the cache, and will not be made again. */
  readonly cached: readonly string[];
  /** What was taken for granted, for people. */
  readonly assumptions: readonly string[];
}

const NO_METADATA = { model_name: '', hook_name: '', context_size: 0, prepend_bos: true };

/** Rehearses the run that `config` describes. Writes to a directory in the cache, which it removes. */
export async function rehearse(bench: Workbench, config: RunConfig): Promise<Rehearsal> {
  await mkdir(cacheDirectory(), { recursive: true });
  const dir = await mkdtemp(join(cacheDirectory(), 'rehearsal-'));
  try {
    return await rehearseIn(bench, config, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function rehearseIn(bench: Workbench, given: RunConfig, dir: string): Promise<Rehearsal> {
  const meter = new Meter();
  const note = (line: string) => bench.reporter.note(`rehearsing: ${line}`);
  note('model and corpus');
  const subject = await rehearseSubject(bench, given, meter);
  const site = siteOf(given);
  const hooks = hooksOf([site]);
  const width = widthAt(subject, site.inputs);
  const config = resolveTraining(given, width, bench.backend);
  const hasReset = nullsOfKind(config, 'reinitialised').length > 0;
  refuseTooLarge(bench, config, subject);
  const cached: string[] = subject.sampledTokens === 0 ? ['corpus'] : [];

  note('harvest');
  const { origin, dir: kept } = storeDirectory(subject, hooks);
  const harvested = await rehearseHarvest(subject, hooks, origin, join(dir, 'store'));
  const { store, source, opening } = harvested;
  const isKept = (of: Subject) => existsSync(storeDirectory(of, hooks).dir);
  if (isKept(subject)) cached.push('activations');
  else meter.add('harvest', harvested.harvest);
  meter.add('opening', opening, hasReset ? 3 : 2);

  note('training');
  const learn = (phase: string, lessons: readonly Lesson[]) =>
    rehearseLearning(bench, lessons, subject, harvested, phase, meter);
  // A run keeps a line for each look at its own dictionary; nulls are not looked at until they are trained.
  const lesson: Lesson = { config, dir, resume: false, onLine: async () => undefined };
  const besides = nullLessons(config, dir, false);
  const { trained, l0, assumptions } = await learn('training', [lesson, ...besides]);
  let reset: Subject | undefined;
  if (hasReset) {
    reset = await meter.measure('model', 2, () => reinitialised(bench, config, subject));
    if (isKept(reset)) cached.push('activations of the null');
    else meter.add('harvest of the null', harvested.harvest);
    await learn('training of the null', [
      { ...lesson, onLine: undefined, dir: nullDirectory(dir, 'reinitialised') },
    ]);
  }

  note('evaluation');
  await rehearseEvaluation(bench, config, subject, trained, reset, meter);
  note('explanation');
  const rows = source.totalRows;
  const explained = { source: store, rows, l0 };
  const results = await rehearseExplanation(
    bench,
    config,
    subject,
    trained.dictionary,
    explained,
    dir,
    meter,
  );

  const tables = await rehearseAtlas(bench, config, subject, trained, dir, meter);

  const checkpoint = await bytesAt(join(dir, RUN_FILES.checkpoints));
  const steps = Math.floor(config.training.tokens / config.training.batch);
  const checkpoints = checkpoint * Math.min(2, Math.ceil(steps / config.training.checkpointEvery));
  const bytes = await bytesAt(join(dir, RUN_FILES.dictionary));
  return {
    subject,
    config,
    phases: meter.phases,
    memory: meter.memory,
    disk: {
      dictionary: bytes,
      checkpoints,
      nulls: (besides.length + (hasReset ? 1 : 0)) * (bytes + checkpoints),
      results: results + tables,
      activations: isKept(subject)
        ? await bytesAt(kept)
        : ((await bytesAt(join(dir, 'store'))) * rows) / store.totalRows,
    },
    rows,
    width,
    l0,
    cached,
    assumptions,
  };
}

/**
 * A training of some dictionaries in one pass, with what comes right before and after it. What only a training holds, its
 * states above all, is let go of when this returns, as in a run. The run takes steps of two of them at a time, and here they
 * are taken one after another.
 */
async function rehearseLearning(
  bench: Workbench,
  lessons: readonly Lesson[],
  subject: Subject,
  { store, source }: HarvestRehearsal,
  phase: string,
  meter: Meter,
): Promise<{ trained: Trained; l0: number; assumptions: readonly string[] }> {
  const [{ config }] = lessons;
  const hooks = hooksOf([siteOf(config)]);
  const { batch, windowRows, shuffleSeed } = config.training;
  const { blocks, validation } = await meter.measure('preparation', 1, async () => ({
    blocks: await blocksOf(subject, hooks, store, shuffleSeed),
    validation: await validationActivations(subject, hooks),
  }));
  const stream = { source: store, batch, windowRows, shuffleSeed };
  const rehearsed: { arm: Arm; training: TrainingRehearsal }[] = [];
  for (const { config: own, dir, asNull, onLine } of lessons) {
    const arm = {
      ...armOf(bench, own, subject, { blocks, validation }, asNull?.training),
      ...(!onLine && { validateEvery: undefined }),
    };
    const training = await rehearseTraining(bench, own, arm, stream, source.totalRows, dir);
    meter.add(
      phase,
      rehearsed.length === 0 ? training.training : sum(training.training, times(training.streaming, -1)),
    );
    rehearsed.push({ arm, training });
  }
  const dictionaries: Dictionary[] = [];
  for (const [i, { arm, training }] of rehearsed.entries()) {
    const dictionary = inRawUnits(await currentDictionary(bench.backend, training.state, arm.options), arm);
    const sae = join(lessons[i].dir, RUN_FILES.dictionary);
    await mkdir(sae, { recursive: true });
    const keeping = await rehearseKeeping(bench, dictionary, validation, () =>
      writeSaelens(sae, dictionary, NO_METADATA, {
        frequency: new Float64Array(dictionary.latents),
        own: true,
      }),
    );
    meter.add('keeping', keeping);
    dictionaries.push(dictionary);
  }
  const [{ arm, training }] = rehearsed;
  const [dictionary, ...nulls] = dictionaries;
  const mean = Float32Array.from((arm.target ?? arm.input).flatMap((block) => Array.from(block.mean)));
  const assumptions =
    nulls.length === 0
      ? training.assumptions
      : [
          ...training.assumptions,
          `${nulls.length} nulls are trained beside the dictionary, one after another`,
        ];
  return { trained: { dictionary, mean, nulls }, l0: training.l0, assumptions };
}

/** InputError where the arrays that the run must hold at once are more than the machine has free. */
function refuseTooLarge(bench: Workbench, config: RunConfig, subject: Subject): void {
  const { k = ASSUMED_L0 } = config.dictionary as { k?: number };
  const { live } = footprint(bench, config, subject, k);
  const [phase, bytes] = Object.entries(live).reduce((most, one) => (one[1] > most[1] ? one : most));
  const free = process.availableMemory();
  if (bytes <= free) return;
  throw new InputError(
    `dictionary.latents ${config.dictionary.latents}: ${phase} must hold ${scaled(bytes)}B at once, ` +
      `and ${scaled(free)}B are free on this machine; choose fewer latents, or a smaller training.windowRows`,
  );
}
