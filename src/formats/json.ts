/**
 * JSON files, and what `JSON.parse` lets pass and a format may not: a key given twice, where the last would win in
 * silence, the key `__proto__`, and nesting without end. It must not know which format asks.
 */
import { readFile } from 'node:fs/promises';
import { explainSystemError, InputError } from './errors.ts';

/** No file that people or tools write nests deeper. */
const MAX_DEPTH = 100;

/** The value in a JSON file. InputError names it where it cannot be read, is not JSON, or gives a key twice. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  try {
    checkJsonKeys(text, MAX_DEPTH);
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** The object in a JSON file; InputError also where it holds something else. */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${path}: expected one JSON object, as in {"name": "first"}`);
  return value as Record<string, unknown>;
}

/** A value as a file holds it, for people and for tools. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Throws a SyntaxError where JSON `text` nests deeper than `maxDepth`, or where an object has a key twice or the
 * key `__proto__`. Text that is not JSON may pass: `JSON.parse` is to follow.
 */
export function checkJsonKeys(text: string, maxDepth: number): void {
  const open: Set<string>[] = [];
  // A string (with the colon that makes it a key), or a bracket.
  for (const [token, quoted, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")[ \t\r\n]*(:?)|[[\]{}]/gs)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth} levels`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon === ':') {
      const key = JSON.parse(quoted) as string;
      const keys = open.at(-1);
      if (key === '__proto__') throw new SyntaxError('the key "__proto__" is not allowed');
      if (keys?.has(key)) throw new SyntaxError(`the key ${quoted} is given twice`);
      keys?.add(key);
    }
  }
}
