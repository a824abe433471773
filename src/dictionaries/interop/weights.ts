/**
 * The named tensors of a file, taken out by name and shape. Sizes that a configuration claims are only ever compared
 * with those of tensors that are in the file: nothing is allocated on a claim. It must not know any peer's format.
 */
import { InputError } from '../../formats/errors.ts';
import { readSafetensors } from '../../formats/safetensors.ts';
import type { Tensor } from '../../formats/tensor.ts';
import { firstNonFinite } from '../../math/finite.ts';

export interface Weights {
  /** For errors. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export async function readWeights(file: string): Promise<Weights> {
  return { file, tensors: await readSafetensors(file) };
}

/**
 * The values of a tensor of this shape, in float32: F64 is rounded, F16 and BF16 are widened. InputError where the
 * tensor is missing, of another shape or of whole numbers, and where a value is not finite in float32.
 */
export function takeFloats(weights: Weights, name: string, shape: readonly number[]): Float32Array {
  const tensor = find(weights, name, `expected one of shape [${shape}]`);
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
    throw new InputError(
      `${weights.file}: ${name} has shape [${tensor.shape}]; expected [${shape}], which the configuration or the other tensors ask for`,
    );
  }
  return finite(weights, name, tensor);
}

/** The sizes of a matrix that the file must have. */
export function matrixShape(weights: Weights, name: string): [rows: number, columns: number] {
  const { shape } = find(weights, name, 'expected a matrix');
  if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
    throw new InputError(
      `${weights.file}: ${name} has shape [${shape}]; expected a matrix that is not empty`,
    );
  }
  return [shape[0], shape[1]];
}

/** A tensor of one number. */
export function takeNumber(weights: Weights, name: string): number {
  const { shape, data } = find(weights, name, 'expected one number');
  if (data.length !== 1) {
    throw new InputError(`${weights.file}: ${name} has shape [${shape}]; expected one number`);
  }
  const value = Number(data[0]);
  if (!Number.isFinite(value))
    throw new InputError(`${weights.file}: ${name} is ${value}; expected a number`);
  return value;
}

/** InputError where the file has a tensor that is not among `names`: what it would change is not known. */
export function refuseOthers({ file, tensors }: Weights, names: readonly string[]): void {
  for (const name of tensors.keys()) {
    if (!names.includes(name)) {
      throw new InputError(
        `${file}: a tensor ${JSON.stringify(name)} is not known here; expected only ${names.join(', ')}. What it changes would be lost`,
      );
    }
  }
}

/** InputError unless k is a whole number from 1 to the number of latents. `where` names file and field. */
export function checkK(k: number | undefined, latents: number, where: string): number {
  if (k === undefined) throw new InputError(`${where} is missing; this architecture needs it`);
  if (!Number.isInteger(k) || k < 1 || k > latents) {
    throw new InputError(`${where} is ${k}; expected a whole number from 1 to the ${latents} latents`);
  }
  return k;
}

function find({ file, tensors }: Weights, name: string, expected: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  const there = [...tensors.keys()].slice(0, 12).join(', ') || 'none';
  throw new InputError(`${file}: there is no tensor ${name}; ${expected}. The tensors are: ${there}`);
}

function finite({ file }: Weights, name: string, { dtype, data }: Tensor): Float32Array {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new InputError(`${file}: ${name} is ${dtype}; expected F32, F16, BF16 or F64`);
  }
  const floats = data instanceof Float32Array ? data : Float32Array.from(data);
  const bad = firstNonFinite(floats);
  if (bad >= 0)
    throw new InputError(
      `${file}: ${name} has ${data[bad]} at element ${bad}; expected finite float32 numbers`,
    );
  return floats;
}
