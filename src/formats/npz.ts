/**
 * NumPy's `.npz`: a zip archive with a `.npy` file for each named array, as `numpy.savez` and
 * `numpy.savez_compressed` write it. It must not know what the arrays are for.
 */

import { InputError } from './errors.ts';
import { npyPieces, readNpy } from './npy.ts';
import type { Tensor } from './tensor.ts';
import { withZip, writeZip } from './zip.ts';

const SUFFIX = '.npy';

/**
 * All arrays of a file by name, in the file's order. InputError as for `withZip` and `readNpy`, and where a member is
 * no array; `maxBytes` limits what all arrays take together, 64 times the file's size where not given.
 */
export async function readNpz(path: string, maxBytes?: number): Promise<Map<string, Tensor>> {
  return withZip(
    path,
    async (archive) => {
      const tensors = new Map<string, Tensor>();
      for (const member of archive.members.keys()) {
        const where = `${path}: member ${JSON.stringify(member)}`;
        if (!member.endsWith(SUFFIX))
          throw new InputError(`${where} is not an array: its name has no ${SUFFIX}`);
        tensors.set(member.slice(0, -SUFFIX.length), readNpy(await archive.read(member), where));
      }
      return tensors;
    },
    maxBytes,
  );
}

/** Writes arrays atomically, uncompressed, in their order. RangeError as for `npyPieces`, InputError as for `writeZip`. */
export async function writeNpz(
  path: string,
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
): Promise<void> {
  await writeZip(path, members(tensors instanceof Map ? tensors : Object.entries(tensors)));
}

function* members(
  tensors: Iterable<readonly [string, Tensor]>,
): Generator<readonly [string, readonly Uint8Array[]]> {
  for (const [name, tensor] of tensors) yield [`${name}${SUFFIX}`, npyPieces(tensor)];
}
