/**
 * One's own texts as a corpus: a file, or a directory with all the files below it that have a known ending.
 * - `.txt`: one document, or several parted by lines that read `<|endoftext|>`
 * - `.jsonl`: a document on each line, in the field `text` or another
 * - `.parquet`: a document in each row, in the column `text` or another
 * It must not know any model.
 */

import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import { readParquet } from '../../formats/parquet.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import { buildCorpus, type Corpus, sequenceCount } from '../corpus.ts';

type Reader = (path: string, textField: string) => AsyncGenerator<string>;

const READERS: Record<string, Reader> = { '.txt': readTxt, '.jsonl': readJsonLines, '.parquet': readTable };
const ENDINGS = Object.keys(READERS).join(', ');

/**
 * Texts are trimmed, and those that are empty passed over. InputError names the file that cannot be read or is
 * not UTF-8, the line or row without the field, and the path where there is no text at all.
 */
export async function textFilesCorpus(
  path: string,
  options: { tokenizer: Tokenizer; context: number; textField?: string },
): Promise<Corpus> {
  const { tokenizer, context, textField = 'text' } = options;
  const files = await findFiles(path);
  async function* documents(): AsyncGenerator<Int32Array> {
    for (const file of files) {
      for await (const text of READERS[extname(file)](file, textField)) {
        const trimmed = text.replaceAll('\r\n', '\n').trim();
        if (trimmed !== '') yield tokenizer.encode(trimmed, { bos: false });
      }
    }
  }
  const name = basename(path);
  const corpus = await buildCorpus({
    name,
    describe: (count) => `${count} documents from ${name}`,
    modelGenerated: false,
    context,
    bos: tokenizer.bos,
    documents: documents(),
  });
  if (sequenceCount(corpus) === 0) throw new InputError(`${path}: there is no text in it`);
  return corpus;
}

/** In the order of their names, so that a corpus does not depend on the file system. */
async function findFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) {
      if (Object.hasOwn(READERS, extname(path))) return [path];
      throw new InputError(
        `${path}: a corpus is read from ${ENDINGS} or a directory, not ${extname(path) || 'this'}`,
      );
    }
    const names = await readdir(path, { recursive: true, withFileTypes: true });
    const files = names
      .filter((entry) => entry.isFile() && Object.hasOwn(READERS, extname(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (files.length === 0) throw new InputError(`${path}: there is no file in it that ends in ${ENDINGS}`);
    return files;
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
}

async function* readTxt(path: string): AsyncGenerator<string> {
  let document: string[] = [];
  for await (const line of readLines(path)) {
    if (line.trim() === '<|endoftext|>') {
      yield document.join('\n');
      document = [];
    } else {
      document.push(line);
    }
  }
  yield document.join('\n');
}

async function* readJsonLines(path: string, textField: string): AsyncGenerator<string> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    if (line.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new InputError(`${path}, line ${number}: not JSON: ${(error as Error).message}`, {
        cause: error,
      });
    }
    yield textOf(value, textField, `${path}, line ${number}`);
  }
}

async function* readTable(path: string, textField: string): AsyncGenerator<string> {
  const rows = await readParquet(path, [textField]);
  for (const [index, row] of rows.entries()) yield textOf(row, textField, `${path}, row ${index}`);
}

function textOf(value: unknown, field: string, where: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${where}: not an object with a field ${field}`);
  if (!Object.hasOwn(value, field)) {
    throw new InputError(
      `${where}: there is no field ${field}; it has ${Object.keys(value).join(', ') || 'none'}. Set corpus.textField`,
    );
  }
  const text = (value as Record<string, unknown>)[field];
  if (typeof text !== 'string')
    throw new InputError(`${where}: field ${field} is ${text === null ? 'null' : typeof text}, not a text`);
  return text;
}

/** Lines without their line feed. UTF-8, a byte order mark passed over. */
async function* readLines(path: string): AsyncGenerator<string> {
  let number = 0;
  const decode = (bytes: Uint8Array): string => {
    number++;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: number > 1 }).decode(bytes);
    } catch (error) {
      throw new InputError(`${path}, line ${number}: not UTF-8; convert the file`, { cause: error });
    }
  };
  const pieces: Uint8Array[] = [];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        pieces.push(chunk.subarray(start, end));
        yield decode(Buffer.concat(pieces.splice(0)));
        start = end + 1;
      }
      pieces.push(chunk.subarray(start));
    }
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
  const last = Buffer.concat(pieces);
  if (last.length > 0) yield decode(last);
}
