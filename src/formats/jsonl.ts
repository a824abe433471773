/**
 * JSON lines: one JSON value on each line, appended to as a run goes on. A process killed in the middle of a
 * write leaves a torn last line, which a reader may ask to have dropped. It must not know what the lines say.
 */

import { appendFile, readFile } from 'node:fs/promises';
import { explainSystemError, InputError } from './errors.ts';

/** Appends `value` as one line; the file is made where there is none. */
export async function appendJsonl(path: string, value: object): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(value)}\n`);
  } catch (error) {
    throw explainSystemError(error, 'write', path);
  }
}

/**
 * The values of all lines; blank lines are passed over. InputError names the file and the line that is not JSON,
 * but with `tornTail: 'drop'` a last line that has no newline and is not JSON is left out.
 */
export async function readJsonl(path: string, { tornTail }: { tornTail?: 'drop' } = {}): Promise<unknown[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
  const values: unknown[] = [];
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      // Decoded line by line: a file may be longer than the longest string.
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
      if (text.trim() !== '') values.push(JSON.parse(text));
    } catch (error) {
      if (newline < 0 && tornTail === 'drop') return values;
      const torn = newline < 0 ? '; it has no newline at its end, so the file may have been cut short' : '';
      throw new InputError(`${path}, line ${line}: not JSON: ${(error as Error).message}${torn}`, {
        cause: error,
      });
    }
    start = end + 1;
  }
  return values;
}
