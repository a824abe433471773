/**
 * safetensors: a length (8 bytes, little-endian), a JSON header of that length, and the tensors' bytes side by
 * side (https://github.com/huggingface/safetensors, "Format"). Everything in the header is checked against the
 * size of the file before memory is taken, so a hostile file costs no more than its own size. It must not know
 * what the tensors are for.
 */

import type { FileHandle } from 'node:fs/promises';
import { writePiecesAtomic } from './atomic.ts';
import { InputError } from './errors.ts';
import { readRange, withFile } from './files.ts';
import { checkJsonKeys } from './json.ts';
import {
  arrayFromBytes,
  type DataByDtype,
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  isSizes,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from './tensor.ts';

export type { Dtype, Tensor, TensorData } from './tensor.ts';

/** Where a tensor lies in a file. */
export interface TensorEntry {
  readonly file: string;
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The tensor's bytes are `[begin, end)` of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: Map<string, TensorEntry>;
  readonly metadata: Record<string, string>;
}

/** The library writes tensors in this order of dtypes, wide ones first, which keeps each of them aligned. */
const WRITE_ORDER = Object.keys(DTYPE_BYTES) as Dtype[];
/** The library's own limit. */
const MAX_HEADER = 100_000_000;

// ---- Reading ---------------------------------------------------------------------------------------------

/** All tensors of a file. InputError names the file and the tensor where anything is wrong. */
export async function readSafetensors(path: string): Promise<Map<string, Tensor>> {
  return withFile(path, async (file) => {
    const { tensors } = await readHeader(file, path);
    const result = new Map<string, Tensor>();
    for (const entry of tensors.values()) {
      const bytes = await readRange(file, entry.begin, entry.end - entry.begin, describe(entry));
      result.set(entry.name, tensorFromBytes(entry.dtype, entry.shape, bytes, describe(entry)));
    }
    return result;
  });
}

/** Names, dtypes, shapes, byte ranges and metadata of a file, without the data. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (file) => readHeader(file, path));
}

/**
 * Rows `start .. start + count` of a tensor `[rows, ...]`, read from an open file without the rest.
 * RangeError where the tensor has no such rows; InputError where the file has become shorter.
 */
export async function readTensorRows<D extends Dtype>(
  file: FileHandle,
  entry: TensorEntry & { readonly dtype: D },
  start: number,
  count: number,
): Promise<DataByDtype[D]> {
  const rows = entry.shape[0] ?? 1;
  if (
    !Number.isInteger(start) ||
    !Number.isInteger(count) ||
    start < 0 ||
    count < 0 ||
    start + count > rows
  ) {
    throw new RangeError(`${describe(entry)}: rows ${start} to ${start + count} of ${rows} were asked for`);
  }
  const rowBytes = rows === 0 ? 0 : (entry.end - entry.begin) / rows;
  const begin = entry.begin + start * rowBytes;
  return arrayFromBytes(entry.dtype, await readRange(file, begin, count * rowBytes, describe(entry)));
}

/** All tensors of a file that is in memory; `name` stands for the file in errors. The data are copies. */
export function decodeSafetensors(bytes: Uint8Array, name: string): Map<string, Tensor> {
  const headerBytes = headerLength(bytes, bytes.length, name);
  const { tensors } = parseHeader(bytes.subarray(8, 8 + headerBytes), bytes.length, name);
  const result = new Map<string, Tensor>();
  for (const entry of tensors.values()) {
    const own = new Uint8Array(bytes.subarray(entry.begin, entry.end));
    result.set(entry.name, tensorFromBytes(entry.dtype, entry.shape, own, describe(entry)));
  }
  return result;
}

async function readHeader(file: FileHandle, path: string): Promise<SafetensorsHeader> {
  const { size } = await file.stat();
  const start = new Uint8Array(8);
  const { bytesRead } = await file.read(start, 0, 8, 0);
  const length = headerLength(start.subarray(0, bytesRead), size, path);
  return parseHeader(await readRange(file, 8, length, path), size, path);
}

// ---- The header ------------------------------------------------------------------------------------------

function headerLength(start: Uint8Array, fileSize: number, file: string): number {
  if (start.length < 8) {
    throw new InputError(
      `${file}: ${start.length} bytes long; a safetensors file has at least 8. It is truncated or of another format`,
    );
  }
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_HEADER) {
    throw new InputError(
      `${file}: a header of ${length} bytes is announced, the limit is ${MAX_HEADER}. It is no safetensors file, or a damaged one`,
    );
  }
  if (8 + length > fileSize) {
    throw new InputError(
      `${file}: a header of ${length} bytes is announced, but the file has ${fileSize} bytes. It is truncated`,
    );
  }
  return length;
}

function parseHeader(bytes: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  const fields = headerFields(bytes, file);
  const dataStart = 8 + bytes.length;
  const metadata = readMetadata(fields.get('__metadata__'), file);
  fields.delete('__metadata__');
  const entries = [...fields].map(([name, field]) => readEntry(name, field, dataStart, file));
  checkRanges(entries, dataStart, fileSize, file);
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

function headerFields(bytes: Uint8Array, file: string): Map<string, unknown> {
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    checkJsonKeys(text, 4);
    header = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${file}: the header is not JSON as safetensors has it: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!isObject(header)) throw new InputError(`${file}: the header is not a JSON object`);
  return new Map(Object.entries(header));
}

function readMetadata(field: unknown, file: string): Record<string, string> {
  if (field === undefined) return {};
  const valid = isObject(field) && Object.values(field).every((value) => typeof value === 'string');
  if (!valid) throw new InputError(`${file}: __metadata__ is not a map of strings to strings`);
  return field as Record<string, string>;
}

function readEntry(name: string, field: unknown, dataStart: number, file: string): TensorEntry {
  const refuse = (message: string): never => {
    throw new InputError(`${file}: tensor ${JSON.stringify(name)}: ${message}`);
  };
  if (!isObject(field)) return refuse('its header entry is not an object');
  const { dtype, shape, data_offsets: offsets } = field;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    return refuse(`dtype ${JSON.stringify(dtype)} is not supported; supported are ${WRITE_ORDER.join(', ')}`);
  }
  if (!isSizes(shape)) return refuse(`shape ${brief(shape)} is not a list of whole numbers from 0`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse(`data_offsets ${brief(offsets)} is not [begin, end]`);
  }
  const expected = elementCount(shape) * DTYPE_BYTES[dtype as Dtype];
  const found = offsets[1] - offsets[0];
  if (expected !== found) {
    return refuse(`shape [${shape}] of ${dtype} takes ${expected} bytes, but data_offsets gives it ${found}`);
  }
  return {
    file,
    name,
    dtype: dtype as Dtype,
    shape,
    begin: dataStart + offsets[0],
    end: dataStart + offsets[1],
  };
}

/** The tensors must cover the data exactly: no overlap, no hole, nothing after the last. */
function checkRanges(entries: TensorEntry[], dataStart: number, fileSize: number, file: string): void {
  let position = dataStart;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.end > fileSize) {
      throw new InputError(
        `${describe(entry)}: it ends at byte ${entry.end}, but the file has ${fileSize} bytes. The file is truncated`,
      );
    }
    if (entry.begin !== position) {
      const fault = entry.begin < position ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw new InputError(
        `${describe(entry)}: it begins at byte ${entry.begin}, expected ${position}: it ${fault}`,
      );
    }
    position = entry.end;
  }
  if (position !== fileSize) {
    throw new InputError(`${file}: the tensors end at byte ${position}, but the file has ${fileSize} bytes`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function brief(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 100);
}

function describe(entry: TensorEntry): string {
  return `${entry.file}: tensor ${JSON.stringify(entry.name)}`;
}

// ---- Writing ---------------------------------------------------------------------------------------------

/**
 * Writes a file atomically, byte for byte as the safetensors library lays it out: dtypes from wide to narrow,
 * names in the order of their UTF-8 bytes, the header padded with spaces to a multiple of 8. Metadata keys are
 * sorted, so that the same input gives the same bytes. RangeError where a tensor's data do not fit its shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writePiecesAtomic(path, encodeSafetensors(tensors, metadata));
}

/** The pieces that make up a file: the header and then each tensor. */
function* encodeSafetensors(
  tensors: Record<string, Tensor>,
  metadata: Record<string, string>,
): Generator<Uint8Array> {
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (!isSizes(shape) || elementCount(shape) !== data.length)
      throw new RangeError(`tensor ${name}: ${data.length} elements do not fit shape [${shape}]`);
  }
  const { order, bytes } = safetensorsHeader(tensors, metadata);
  yield bytes;
  for (const name of order) yield tensorBytes(tensors[name]);
}

/** What stands before the data of some tensors, and the order in which these have to follow it. */
export function safetensorsHeader(
  tensors: Readonly<Record<string, Pick<Tensor, 'dtype' | 'shape'>>>,
  metadata: Record<string, string> = {},
): { order: string[]; bytes: Uint8Array } {
  const sorted = Object.entries(tensors).sort(
    ([a, { dtype: s }], [b, { dtype: t }]) =>
      WRITE_ORDER.indexOf(s) - WRITE_ORDER.indexOf(t) || byBytes(a, b),
  );
  const header: [string, unknown][] = [];
  const keys = Object.keys(metadata).sort(byBytes);
  if (keys.length > 0)
    header.push(['__metadata__', Object.fromEntries(keys.map((key) => [key, metadata[key]]))]);
  let position = 0;
  for (const [name, { dtype, shape }] of sorted) {
    if (name === '__metadata__') throw new RangeError('a tensor cannot be named __metadata__');
    const end = position + elementCount(shape) * DTYPE_BYTES[dtype];
    header.push([name, { dtype, shape, data_offsets: [position, end] }]);
    position = end;
  }
  return { order: sorted.map(([name]) => name), bytes: headerBytes(header) };
}

/** Joined by hand, because an object would move keys that look like whole numbers to the front. */
function headerBytes(fields: [string, unknown][]): Uint8Array {
  const text = `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${JSON.stringify(field)}`).join(',')}}`;
  const json = Buffer.from(text, 'utf8');
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
