/**
 * NumPy's `.npy`, versions 1 to 3: a magic string, a header that is a Python dictionary in text, and one array
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). The header is read by a parser that knows
 * three keys and nothing else of Python; arrays of objects, which are pickles, are refused. It must not know what the
 * array is for.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { writePiecesAtomic } from './atomic.ts';
import { explainSystemError, InputError } from './errors.ts';
import { readRange } from './files.ts';
import {
  arrayFromBytes,
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  gatherStrided,
  isSizes,
  rowMajorStrides,
  swapBytes,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from './tensor.ts';

interface NpyHeader {
  readonly dtype: Dtype;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the array begins in the file; it takes all the rest. */
  readonly dataStart: number;
}

/** Kind and bytes of an element, as in NumPy's type strings. */
const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['f8', 'F64'],
  ['f4', 'F32'],
  ['f2', 'F16'],
  ['i8', 'I64'],
  ['i4', 'I32'],
  ['i2', 'I16'],
  ['i1', 'I8'],
  ['u8', 'U64'],
  ['u4', 'U32'],
  ['u2', 'U16'],
  ['u1', 'U8'],
  ['b1', 'BOOL'],
]);
const TYPE_STRINGS: ReadonlyMap<Dtype, string> = new Map([...DTYPES].map(([text, dtype]) => [dtype, text]));

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** Magic, version, and a length of 4 bytes: no header begins later. */
const PREFIX = 12;
/** A header of the kinds that are read here takes a hundred bytes or so. */
const MAX_HEADER = 65_535;
/** NumPy's own limit. */
const MAX_RANK = 64;

// ---- Reading -----------------------------------------------------------------------------------------------

/**
 * The array of a `.npy` file that is in memory, copied into row-major order; `where` stands for the file in errors.
 * InputError where it is no such file, is truncated or has bytes left over, or holds something other than plain numbers.
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const { start, length } = headerPlace(bytes.subarray(0, PREFIX), bytes.length, where);
  const header = parseHeader(bytes.subarray(start, start + length), start + length, bytes.length, where);
  const { dtype, shape, fortranOrder, bigEndian, dataStart } = header;
  const source = bytes.subarray(dataStart);
  const columnMajor = rowMajorStrides([...shape].reverse()).reverse();
  const own = fortranOrder
    ? gatherStrided(source, DTYPE_BYTES[dtype], shape, columnMajor, 0)
    : new Uint8Array(source);
  if (bigEndian) swapBytes(own, DTYPE_BYTES[dtype]);
  return tensorFromBytes(dtype, shape, own, where);
}

/** A `.npy` file of a matrix of floats that stays on disk. */
export interface NpyMatrix {
  readonly rows: number;
  readonly width: number;
  /** How the file holds the numbers; they are read as float32. */
  readonly dtype: 'F32' | 'F16';
  /** Rows `start .. start + count`, `[count, width]`. RangeError where there are no such rows. */
  readRows(start: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a matrix `[rows, width]` of 4- or 2-byte floats in row-major order, to be read in parts: it may be larger than
 * memory. InputError as for `readNpy`, and where the file holds anything else.
 */
export async function openNpyMatrix(path: string): Promise<NpyMatrix> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await matrixOf(file, path);
  } catch (error) {
    await file?.close();
    throw explainSystemError(error, 'read', path);
  }
}

async function matrixOf(file: FileHandle, path: string): Promise<NpyMatrix> {
  const { size } = await file.stat();
  const prefix = await readRange(file, 0, Math.min(PREFIX, size), path);
  const { start, length } = headerPlace(prefix, size, path);
  const header = parseHeader(await readRange(file, start, length, path), start + length, size, path);
  const { dtype, shape, fortranOrder, bigEndian, dataStart } = header;
  if (shape.length !== 2 || fortranOrder || (dtype !== 'F32' && dtype !== 'F16')) {
    throw new InputError(
      `${path}: it holds ${dtype} of shape [${shape}] in ${fortranOrder ? 'column' : 'row'}-major order, expected a matrix of float32 or float16 in row-major order; convert it with numpy.ascontiguousarray(x, dtype='f4')`,
    );
  }
  const [rows, width] = shape;
  const rowBytes = width * DTYPE_BYTES[dtype];
  return {
    rows,
    width,
    dtype,
    async readRows(first, count) {
      const valid =
        Number.isInteger(first) &&
        Number.isInteger(count) &&
        first >= 0 &&
        count >= 0 &&
        first + count <= rows;
      if (!valid)
        throw new RangeError(`${path}: rows ${first} to ${first + count} of ${rows} were asked for`);
      const bytes = await readRange(file, dataStart + first * rowBytes, count * rowBytes, path);
      if (bigEndian) swapBytes(bytes, DTYPE_BYTES[dtype]);
      return arrayFromBytes(dtype, bytes);
    },
    close: () => file.close(),
  };
}

/** Where the header's text lies, from the file's first bytes. */
function headerPlace(prefix: Uint8Array, fileSize: number, where: string): { start: number; length: number } {
  if (prefix.length < 10 || MAGIC.some((byte, i) => prefix[i] !== byte)) {
    throw new InputError(
      `${where}: it does not begin as a .npy file does; it is truncated or another format`,
    );
  }
  const [major, minor] = [prefix[6], prefix[7]];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(`${where}: .npy version ${major}.${minor} is not supported; 1.0, 2.0 and 3.0 are`);
  }
  const start = major === 1 ? 10 : 12;
  if (prefix.length < start) throw new InputError(`${where}: ${fileSize} bytes long; it is truncated`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.length);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) {
    throw new InputError(`${where}: a header of ${length} bytes is announced, the limit is ${MAX_HEADER}`);
  }
  if (start + length > fileSize) {
    throw new InputError(
      `${where}: a header of ${length} bytes is announced, but the file has ${fileSize} bytes. It is truncated`,
    );
  }
  return { start, length };
}

function parseHeader(text: Uint8Array, dataStart: number, fileSize: number, where: string): NpyHeader {
  // Latin-1 keeps every byte; a header in UTF-8 (version 3) differs from it in names of fields only.
  const fields = parseDictionary(Buffer.from(text).toString('latin1'), where);
  const { dtype, bigEndian } = parseType(fields.descr, where);
  const dataBytes = elementCount(fields.shape) * DTYPE_BYTES[dtype];
  if (dataBytes !== fileSize - dataStart) {
    throw new InputError(
      `${where}: shape [${fields.shape}] of ${dtype} takes ${dataBytes} bytes, but ${fileSize - dataStart} follow the header. The file is truncated, damaged, or holds several arrays`,
    );
  }
  return { dtype, bigEndian, fortranOrder: fields.fortranOrder, shape: fields.shape, dataStart };
}

function parseType(descr: string, where: string): { dtype: Dtype; bigEndian: boolean } {
  if (descr.endsWith('O')) {
    throw new InputError(
      `${where}: it holds Python objects ('${descr}'), which are pickles and are never read; save an array of numbers`,
    );
  }
  const [, order, kind] = /^([<>|=])([fiub]\d)$/.exec(descr) ?? [];
  const dtype = DTYPES.get(kind);
  const wide = dtype !== undefined && DTYPE_BYTES[dtype] > 1;
  if (dtype === undefined || order === '=' || (order === '|' && wide)) {
    throw new InputError(
      `${where}: dtype ${JSON.stringify(descr)} is not supported; supported are ${[...DTYPES.keys()].join(', ')}, little- ('<') or big-endian ('>')`,
    );
  }
  return { dtype, bigEndian: order === '>' && wide };
}

// ---- The header's text -------------------------------------------------------------------------------------

interface HeaderFields {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
}

const STRING = `'[^'\\\\]*'|"[^"\\\\]*"`;
const TUPLE = '\\([\\d, L]*\\)';
const FIELD = new RegExp(`\\s*(${STRING})\\s*:\\s*(${STRING}|True|False|${TUPLE})\\s*(,|(?=\\}))`, 'y');

/**
 * The three fields of the dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, each exactly
 * once, in any order.
 */
function parseDictionary(text: string, where: string): HeaderFields {
  const refuse = (problem: string): never => {
    throw new InputError(`${where}: the header ${brief(text)} ${problem}`);
  };
  const open = /^\s*\{/.exec(text);
  if (open === null) return refuse('is not a dictionary');
  const fields = new Map<string, string>();
  let at = open[0].length;
  while (!/^\s*\}/.test(text.slice(at, at + 64))) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(text);
    if (match === null) {
      return refuse(
        /descr["']\s*:\s*\[/.test(text)
          ? 'describes records, not plain numbers; save each field as an array of its own'
          : `cannot be read from character ${at} on`,
      );
    }
    const key = match[1].slice(1, -1);
    if (fields.has(key)) return refuse(`has the key ${key} twice`);
    fields.set(key, match[2]);
    at = FIELD.lastIndex;
  }
  if (!/^\s*\}\s*$/.test(text.slice(at))) return refuse('goes on after its dictionary');
  if ([...fields.keys()].sort().join() !== 'descr,fortran_order,shape') {
    return refuse('has other keys than descr, fortran_order and shape');
  }
  const [descr, order] = [fields.get('descr')!, fields.get('fortran_order')!];
  if (!/^["']/.test(descr)) return refuse('has a descr that is not a string');
  if (!/^(True|False)$/.test(order)) return refuse('has a fortran_order that is not True or False');
  const shape = parseTuple(fields.get('shape')!);
  if (!isSizes(shape) || shape.length > MAX_RANK)
    return refuse('has a shape that is not a tuple of whole numbers');
  return { descr: descr.slice(1, -1), fortranOrder: order === 'True', shape };
}

/** `()`, `(3,)`, `(3, 4)`; Python 2 wrote `3L`. Undefined where it is no tuple of whole numbers. */
function parseTuple(text: string): number[] | undefined {
  const match = /^\(\s*((?:\d+L?\s*,\s*)*)(\d+L?)?\s*\)$/.exec(text);
  if (match === null || (match[1] === '' && match[2] !== undefined)) return undefined;
  return Array.from(text.matchAll(/\d+/g), ([digits]) => Number(digits));
}

function brief(text: string): string {
  return JSON.stringify(text.trimEnd().slice(0, 100));
}

// ---- Writing -----------------------------------------------------------------------------------------------

/**
 * A `.npy` file in two pieces, header and data, byte for byte as NumPy 2 writes it: version 1.0, little-endian,
 * row-major, the data aligned to 64 bytes. RangeError where the data do not fit the shape, or for BF16, which NumPy has
 * not.
 */
export function npyPieces(tensor: Tensor): [header: Uint8Array, data: Uint8Array] {
  const { dtype, shape, data } = tensor;
  if (!isSizes(shape) || shape.length > MAX_RANK || elementCount(shape) !== data.length) {
    throw new RangeError(`${data.length} elements do not fit shape [${shape}]`);
  }
  return [npyHeader(dtype, shape), tensorBytes(tensor)];
}

/** What stands before the data of an array. RangeError for BF16. */
export function npyHeader(dtype: Dtype, shape: readonly number[]): Uint8Array {
  const kind = TYPE_STRINGS.get(dtype);
  if (kind === undefined) throw new RangeError(`NumPy has no dtype ${dtype}; convert it to F32`);
  const order = DTYPE_BYTES[dtype] > 1 ? '<' : '|';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${order}${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // NumPy leaves room for the first size to grow to 21 digits.
  const growth = ' '.repeat(shape.length > 0 ? 21 - String(shape[0]).length : 0);
  const unpadded = MAGIC.length + 4 + dictionary.length + growth.length + 1;
  const text = `${dictionary}${growth}${' '.repeat(64 - (unpadded % 64))}\n`;
  const header = Buffer.alloc(MAGIC.length + 4 + text.length);
  header.set(MAGIC);
  header[6] = 1;
  header.writeUInt16LE(text.length, 8);
  header.write(text, 10, 'latin1');
  return header;
}

/** Writes a `.npy` file atomically; errors as for `npyPieces`. */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  await writePiecesAtomic(path, npyPieces(tensor));
}
