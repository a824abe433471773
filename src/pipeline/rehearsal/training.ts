/**
 * Training in a rehearsal: a few windows of batches without steps, a few steps without windows, one validation, one
 * checkpoint. What steps cost depends on how many latents fire and how many are dead; both are assumed, and said so.
 */

import { join } from 'node:path';
import type { RunConfig } from '../../runs/config.ts';
import { RUN_FILES } from '../../runs/directory.ts';
import { writeCheckpoint } from '../../training/checkpoint.ts';
import { totalSteps } from '../../training/options.ts';
import { sparsityWarmth } from '../../training/schedules.ts';
import type { TrainingState } from '../../training/state.ts';
import { type StepMetrics, trainStep } from '../../training/step.ts';
import { type Stream, type StreamBatch, streamBatches } from '../../training/stream.ts';
import { type Arm, rowsOf, startArm, validate } from '../../training/train.ts';
import { createWorkspace } from '../../training/workspace.ts';
import { NO_TIME, type Seconds, startClock, sum, timed, times } from '../clock.ts';
import type { Workbench } from '../subject.ts';
import { meanTime } from './meter.ts';

const STEP_SECONDS = 1;
/** Batches that steps are taken on, over and over. */
const KEPT_BATCHES = 4;
/** The share of latents that are taken to be dead, in the steps in which any can be. */
export const DEAD_SHARE = 0.03;
/**
 * The share of tokens at which a dead latent is above 0 all the same, among latents that were less so than the chosen ones:
 * what AuxK has to do goes by it. In runs of TopK and BatchTopK on stories15M it falls from .012 to .002.
 */
const DEAD_ABOVE_ZERO = 0.005;
/** Latents that fire on a token in the end, where the family does not say how many. */
export const ASSUMED_L0 = 64;

export interface TrainingRehearsal {
  readonly state: TrainingState;
  /** With the stream. */
  readonly training: Seconds;
  /** The stream alone, which arms that are trained together share. */
  readonly streaming: Seconds;
  /** On average over the steps that the forecast assumes. */
  readonly l0: number;
  readonly assumptions: readonly string[];
}

/** Starts `arm` and steps for a moment. The run's source has `rows`; `dir` is where checkpoints go. */
export async function rehearseTraining(
  { backend }: Workbench,
  config: RunConfig,
  arm: Arm,
  stream: Stream,
  rows: number,
  dir: string,
): Promise<TrainingRehearsal> {
  const { options } = arm;
  const steps = totalSteps(options);
  const { result: state, ...start } = await timed(() => startArm(backend, arm));
  const workspace = createWorkspace(backend);
  const { batches, streaming } = await rehearseStream(stream, { steps, rows });
  let metrics: StepMetrics | undefined;
  const stepping = (before: () => void = () => undefined, seconds = STEP_SECONDS) =>
    meanTime(
      async (run) => {
        before();
        // The schedules end with the last step.
        state.step = Math.min(state.step, steps - 1);
        const data = rowsOf(arm, batches[run % batches.length], state.step);
        metrics = await trainStep(backend, options, state, data, workspace);
      },
      { least: Math.min(3, steps), most: steps, seconds },
    );
  const first = await stepping();
  const assumptions: string[] = [];
  let [each, l0] = [first, metrics!.l0];
  if (options.dictionary.k === undefined && l0 > 2 * ASSUMED_L0) {
    const dense = l0;
    await lowerBiases(arm, state, batches[0], backend, { share: ASSUMED_L0 / state.latents });
    const last = await stepping();
    const warm = meanUnwarmed(arm);
    each = sum(times(first, warm), times(last, 1 - warm));
    l0 = warm * dense + (1 - warm) * metrics!.l0;
    assumptions.push(
      `${dense.toFixed(0)} latents of a token fire at first, and ${metrics!.l0.toFixed(0)} once the penalty has its weight`,
    );
  }
  const { result: __, ...validating } = await timed(() =>
    validate(backend, { ...arm, validateEvery: 1 }, state),
  );
  const withDead = await rehearseDead(arm, state, stepping, (dead) =>
    lowerBiases(arm, state, batches[0], backend, { subset: dead, share: DEAD_ABOVE_ZERO }),
  );
  if (withDead) {
    const share = Math.max(0, 1 - options.deadAfterTokens / options.tokens);
    each = sum(times(each, 1 - share), times(withDead, share));
    assumptions.push(
      `${DEAD_SHARE * 100} % of the latents are dead for AuxK, once ${options.deadAfterTokens} tokens have gone by`,
    );
  }
  const { result: ___, ...saving } = await timed(() =>
    writeCheckpoint(join(dir, RUN_FILES.checkpoints), state),
  );
  const validations = arm.validateEvery ? Math.ceil(steps / arm.validateEvery) : 0;
  const checkpoints = Math.ceil(steps / config.training.checkpointEvery);
  return {
    state,
    l0,
    assumptions,
    streaming,
    training: sum(
      start,
      streaming,
      times(each, steps),
      times(validating, validations),
      times(saving, checkpoints),
    ),
  };
}

/**
 * Batches without steps, through two windows and into the third where the run has so many. Reading a window and taking
 * batches out of it are told apart, since a run ends anywhere in a window.
 */
async function rehearseStream(
  stream: Stream,
  { steps, rows }: { steps: number; rows: number },
): Promise<{ batches: StreamBatch[]; streaming: Seconds }> {
  const { source, batch, windowRows } = stream;
  let reads = 0;
  const read = (asked: ArrayLike<number>) => {
    reads++;
    return source.read(asked);
  };
  const wanted = Math.min(steps, Math.ceil((2.5 * windowRows) / batch));
  const batches: StreamBatch[] = [];
  const clock = startClock();
  // The first batch waits for a window to be read. All others cost the rest, with the windows read in between.
  let reading = NO_TIME;
  let count = 0;
  for await (const next of streamBatches({ ...stream, source: { ...source, read } }, 0)) {
    if (count++ === 0) reading = clock();
    batches.push(next);
    if (batches.length > KEPT_BATCHES) batches.shift();
    if (count === wanted) break;
  }
  const alone = sum(clock(), times(reading, -reads));
  const gathering = alone.cpuSeconds > 0 && alone.wallSeconds > 0 ? times(alone, 1 / wanted) : NO_TIME;
  return {
    batches,
    streaming: sum(times(reading, windowsRead(stream, steps, rows)), times(gathering, steps)),
  };
}

/** Windows that `steps` steps read of a source of `rows`: of each epoch all, and of the last one more than they use. */
function windowsRead({ batch, windowRows }: Stream, steps: number, rows: number): number {
  const windows = Math.max(1, Math.round(rows / windowRows));
  const perEpoch = Math.floor(rows / batch);
  const last = (steps % perEpoch) / perEpoch;
  return (
    Math.floor(steps / perEpoch) * windows + (last > 0 ? Math.min(windows, Math.ceil(last * windows) + 1) : 0)
  );
}

/** Lowers the encoder biases of all latents, or of a subset, alike, so that about a share of their pre-activations pass. */
async function lowerBiases(
  arm: Arm,
  state: TrainingState,
  batch: StreamBatch,
  backend: Workbench['backend'],
  { subset, share }: { subset?: Uint32Array; share: number },
): Promise<void> {
  const { x, scale } = rowsOf(arm, batch, 0);
  const { width, latents, parameters } = state;
  const rows = arm.options.batch;
  const { encoderWeight: weight, encoderBias: bias } = parameters;
  const scaled = x.map((value) => value * scale);
  const lowered = subset ?? Uint32Array.from({ length: latents }, (_, j) => j);
  const total = Math.max(1, Math.round(share * rows * lowered.length));
  const chosen = { x: scaled, rows, width, weight, bias, columns: latents, subset, total };
  const { values } = await backend.encodeBatchTopK(chosen);
  if (values.length < total) return;
  const weakest = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  for (const j of lowered) bias[j] -= weakest;
}

/** The mean over all steps of what the sparsity penalty lacks of its weight. */
function meanUnwarmed({ options }: Arm): number {
  const steps = totalSteps(options);
  let lacking = 0;
  for (let step = 1; step <= steps; step++) lacking += 1 - sparsityWarmth(options, step);
  return lacking / steps;
}

/** Steps with some dead latents; undefined where AuxK is off or none can die. */
async function rehearseDead(
  { options }: Arm,
  { tokensSinceFired, latents }: TrainingState,
  stepping: (before: () => void, seconds: number) => Promise<Seconds>,
  quieten: (dead: Uint32Array) => Promise<void>,
): Promise<Seconds | undefined> {
  const { auxCoefficient, auxLatents, deadAfterTokens, tokens } = options;
  if (auxCoefficient === 0 || auxLatents === 0 || deadAfterTokens >= tokens) return undefined;
  const every = Math.round(1 / DEAD_SHARE);
  const dead = Uint32Array.from({ length: Math.ceil(latents / every) }, (_, i) => i * every);
  await quieten(dead);
  const bury = () => {
    for (const j of dead) tokensSinceFired[j] = deadAfterTokens;
  };
  return stepping(bury, STEP_SECONDS / 2);
}
