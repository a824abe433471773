/** Reading parts of an open file: it is closed whatever happens, and a file that ends too soon is named. */

import { type FileHandle, open } from 'node:fs/promises';
import { explainSystemError, InputError } from './errors.ts';

/** One read system call moves less than 2 GiB. */
const READ_PIECE = 1 << 30;

/** What `use` makes of the file at `path`, which is closed afterwards. InputError where it cannot be opened or read. */
export async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
}

/** The `length` bytes from `position` on. InputError names `what` where the file ends before. */
export async function readRange(
  file: FileHandle,
  position: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const piece = Math.min(length - done, READ_PIECE);
    const { bytesRead } = await file.read(bytes, done, piece, position + done);
    if (bytesRead === 0)
      throw new InputError(`${what}: the file ends before byte ${position + length}; it is truncated`);
    done += bytesRead;
  }
  return bytes;
}
