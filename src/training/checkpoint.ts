/**
 * Checkpoints: all that a bit-exact resume needs, one directory for each, which appears whole or not at all. The
 * order of the data is a pure function of the seed and the step, so no reader or generator state is in here.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parameters } from '../dictionaries/families/family.ts';
import { writeDirAtomic } from '../formats/atomic.ts';
import { InputError, systemCode } from '../formats/errors.ts';
import { readSafetensors, type Tensor, writeSafetensors } from '../formats/safetensors.ts';
import type { TrainingState } from './state.ts';

const FILE = 'state.safetensors';
const KEPT = 2;

/** Writes `<dir>/<step>/`, then removes all but the newest two. Writing the same step again is no error. */
export async function writeCheckpoint(dir: string, state: TrainingState): Promise<void> {
  const { latents } = state;
  const tensors: Record<string, Tensor> = {
    tokensSinceFired: { dtype: 'F64', shape: [latents], data: state.tokensSinceFired },
    step: { dtype: 'F64', shape: [1], data: Float64Array.of(state.step) },
  };
  for (const [name, value] of Object.entries(state.memory))
    tensors[`memory.${name}`] = { dtype: 'F64', shape: [1], data: Float64Array.of(value) };
  for (const [group, arrays] of groups(state)) {
    for (const [name, data] of Object.entries(arrays))
      tensors[`${group}.${name}`] = { dtype: 'F32', shape: [data.length], data };
  }
  const steps = await checkpointSteps(dir);
  if (!steps.includes(state.step)) {
    await writeDirAtomic(join(dir, String(state.step)), (whole) =>
      writeSafetensors(join(whole, FILE), tensors),
    );
    steps.push(state.step);
  }
  const old = steps.sort((a, b) => b - a).slice(KEPT);
  for (const step of old) await rm(join(dir, String(step)), { recursive: true, force: true });
}

/** Reads the newest checkpoint into `state`, whose shapes must be the same. False where there is none. */
export async function readNewestCheckpoint(dir: string, state: TrainingState): Promise<boolean> {
  const [newest] = (await checkpointSteps(dir)).sort((a, b) => b - a);
  if (newest === undefined) return false;
  const file = join(dir, String(newest), FILE);
  const tensors = await readSafetensors(file);
  const fill = (name: string, into: Float32Array | Float64Array) => {
    const data = tensors.get(name)?.data;
    if (data?.constructor !== into.constructor || data.length !== into.length) {
      throw new InputError(
        `${file}: ${name} is ${data ? `${data.length} elements` : 'missing'}; this run needs ${into.length} of ` +
          `${into.constructor.name}. The checkpoint belongs to another configuration`,
      );
    }
    (into as Float64Array).set(data as Float64Array);
  };
  const number = (name: string): number => {
    const value = new Float64Array(1);
    fill(name, value);
    return value[0];
  };
  fill('tokensSinceFired', state.tokensSinceFired);
  for (const [group, arrays] of groups(state)) {
    for (const [name, array] of Object.entries(arrays)) fill(`${group}.${name}`, array);
  }
  for (const name of Object.keys(state.memory)) state.memory[name] = number(`memory.${name}`);
  state.step = number('step');
  return true;
}

function groups(state: TrainingState): [string, Parameters][] {
  return [
    ['parameter', state.parameters],
    ['firstMoment', state.firstMoment],
    ['secondMoment', state.secondMoment],
  ];
}

/** Steps of the whole checkpoints in `dir`; what a kill left half-written has a name that is no number. */
async function checkpointSteps(dir: string): Promise<number[]> {
  try {
    return (await readdir(dir)).filter((name) => /^\d+$/.test(name)).map(Number);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
