/** SHA-256 in lower-case hexadecimal: how files, models and corpora are told apart. It must not know what it hashes. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { explainSystemError } from './errors.ts';

/** SHA-256 of bytes, or of a string's UTF-8 bytes. */
export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a file, read in pieces. InputError where the file cannot be read. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece);
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
  return hash.digest('hex');
}
