/**
 * A directory as `save_to_disk` of Hugging Face datasets writes it: Arrow streams `data-00000-of-00002.arrow`, a
 * `dataset_info.json` with the type of every column, and a `state.json` with the names of the streams. It must not know
 * what the columns mean.
 */

import { createHash, type Hash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArrowBatch, type ArrowColumn, readArrowBatches, readArrowColumns } from './arrow.ts';
import { type ArrowColumnSpec, numpyName, writeArrow } from './arrowWriter.ts';
import { writeDirAtomic, writeFileAtomic } from './atomic.ts';
import { explainSystemError, InputError } from './errors.ts';
import { checkJsonKeys } from './json.ts';

const STATE = 'state.json';
const INFO = 'dataset_info.json';
const MAX_SHARDS = 99_999;

// ---- Reading ---------------------------------------------------------------------------------------------------

/** The columns of numbers that a dataset has. InputError as for `readDatasetBatches`. */
export async function readDatasetColumns(directory: string): Promise<ArrowColumn[]> {
  const [first] = await shardPaths(directory);
  return readArrowColumns(first);
}

/**
 * A dataset's batches in its order, with the named columns only where given, else all columns of numbers. InputError
 * names the file that is missing or damaged, and is otherwise as for `readArrowBatches`.
 */
export async function* readDatasetBatches(
  directory: string,
  names?: readonly string[],
): AsyncGenerator<ArrowBatch> {
  for (const path of await shardPaths(directory)) yield* readArrowBatches(path, names);
}

/** The names come from a file, so they must be names of files in this directory and nothing else. */
async function shardPaths(directory: string): Promise<string[]> {
  const path = join(directory, STATE);
  const refuse = (problem: string): never => {
    throw new InputError(`${path}: ${problem}; expected a directory of save_to_disk, of one split`);
  };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, 'read', path);
  }
  let state: unknown;
  try {
    checkJsonKeys(text, 100);
    state = JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON: ${(error as Error).message}`);
  }
  const files = (state as { _data_files?: unknown } | null)?._data_files;
  if (!Array.isArray(files) || files.length === 0) return refuse('it names no _data_files');
  return files.map((file) => {
    const name: unknown = (file as { filename?: unknown } | null)?.filename;
    if (typeof name !== 'string' || !/^[\w-][\w.-]*$/.test(name)) {
      return refuse(`${String(JSON.stringify(name)).slice(0, 100)} is no name of a data file`);
    }
    return join(directory, name);
  });
}

// ---- Writing ---------------------------------------------------------------------------------------------------

/**
 * Writes a dataset, which `datasets.load_from_disk` reads, in one rename of its directory; it must not exist. Each item
 * of `shards` becomes a file, and each of its batches is written before the next is asked for. Arrays of two axes and
 * more are `Array2D` to `Array5D`, of one axis `Sequence` of a fixed length, and single numbers `Value`. Errors as for
 * `writeArrow`; RangeError where there is no shard.
 */
export async function writeDataset(
  directory: string,
  columns: readonly ArrowColumnSpec[],
  shards: Iterable<Iterable<ArrowBatch> | AsyncIterable<ArrowBatch>>,
): Promise<void> {
  const features = Object.fromEntries(columns.map((column) => [column.name, featureOf(column)]));
  const metadata = new Map([['huggingface', JSON.stringify({ info: { features } })]]);
  await writeDirAtomic(directory, async (temporary) => {
    const written: string[] = [];
    const hash = createHash('sha256').update(JSON.stringify(features));
    for (const batches of shards) {
      const path = join(temporary, `data-${written.length}`);
      await writeArrow(path, columns, hashed(batches, hash), metadata);
      written.push(path);
    }
    if (written.length === 0 || written.length > MAX_SHARDS) {
      throw new RangeError(`a dataset of ${written.length} shards cannot be written`);
    }
    // How many there are stands in each name.
    const names = written.map((_, i) => `data-${digits(i)}-of-${digits(written.length)}.arrow`);
    for (const [i, name] of names.entries()) await rename(written[i], join(temporary, name));
    await writeFileAtomic(
      join(temporary, INFO),
      json({ citation: '', description: '', features, homepage: '', license: '' }),
    );
    await writeFileAtomic(join(temporary, STATE), json(stateOf(names, hash.digest('hex'))));
  });
}

/** datasets 4 renamed `Sequence` to `List`, and still reads the older name. */
function featureOf({ dtype, shape }: ArrowColumnSpec): object {
  const numpy = numpyName(dtype);
  const value = { dtype: numpy, _type: 'Value' };
  if (shape.length === 0) return value;
  if (shape.length === 1) return { feature: value, length: shape[0], _type: 'Sequence' };
  return { shape, dtype: numpy, _type: `Array${shape.length}D` };
}

/** What datasets keys its caches by must differ where the data do: all of them go into it, on their way. */
async function* hashed(
  batches: Iterable<ArrowBatch> | AsyncIterable<ArrowBatch>,
  hash: Hash,
): AsyncGenerator<ArrowBatch> {
  for await (const batch of batches) {
    for (const { shape, data } of batch.values()) {
      hash
        .update(JSON.stringify(shape))
        .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    yield batch;
  }
}

function stateOf(names: readonly string[], hash: string): object {
  return {
    _data_files: names.map((filename) => ({ filename })),
    _fingerprint: hash.slice(0, 16),
    _format_columns: null,
    _format_kwargs: {},
    _format_type: null,
    _output_all_columns: false,
    _split: null,
  };
}

function json(value: object): string {
  return JSON.stringify(value, null, 2);
}

function digits(number: number): string {
  return String(number).padStart(5, '0');
}
