/**
 * The messages of Apache Arrow's stream format: FlatBuffers that say which columns there are, and where in a batch each
 * buffer lies (https://arrow.apache.org/docs/format/Columnar.html, format/Message.fbs and format/Schema.fbs of
 * Apache Arrow). Reads with bounds and a budget, since a FlatBuffer made on purpose can refer to the same table without
 * end. It must not know what the columns mean.
 */

import { InputError } from './errors.ts';
import type { Dtype } from './tensor.ts';

export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Types that hold numbers or lists; all others are only passed over. */
export type ArrowType =
  | { readonly kind: 'number'; readonly dtype: Dtype }
  | { readonly kind: 'list'; readonly offsetBytes: 4 | 8 }
  | { readonly kind: 'fixed list'; readonly size: number }
  | { readonly kind: 'other'; readonly name: string; readonly buffers: number };

export interface ArrowSchema {
  readonly kind: 'schema';
  readonly fields: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ArrowRecordBatch {
  readonly kind: 'batch';
  readonly rows: number;
  /** For each field, and each of its children, in depth-first order. */
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  /** Offsets count from the beginning of the message's body. */
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
}

export interface ArrowMessage {
  readonly bodyBytes: number;
  readonly header: ArrowSchema | ArrowRecordBatch | { readonly kind: 'dictionary' };
}

const MAX_TABLES = 100_000;
const MAX_DEPTH = 16;
/** `MetadataVersion`: V4 of 2017 and V5 of 2020 lay out buffers alike for the types that are read here. */
const VERSIONS = [3, 4];
const FLOATS: readonly Dtype[] = ['F16', 'F32', 'F64'];
const SIGNED: ReadonlyMap<number, Dtype> = new Map([
  [8, 'I8'],
  [16, 'I16'],
  [32, 'I32'],
  [64, 'I64'],
]);
const UNSIGNED: ReadonlyMap<number, Dtype> = new Map([
  [8, 'U8'],
  [16, 'U16'],
  [32, 'U32'],
  [64, 'U64'],
]);
/** By the numbers of the union `Type`: the name, and how many buffers a column of it has beside its children's. */
const OTHER_TYPES: ReadonlyMap<number, readonly [name: string, buffers: number]> = new Map([
  [1, ['null', 0]],
  [4, ['binary', 3]],
  [5, ['text', 3]],
  [6, ['boolean', 2]],
  [7, ['decimal', 2]],
  [8, ['date', 2]],
  [9, ['time', 2]],
  [10, ['timestamp', 2]],
  [11, ['interval', 2]],
  [13, ['struct', 1]],
  [15, ['fixed-size binary', 2]],
  [17, ['map', 2]],
  [18, ['duration', 2]],
  [19, ['large binary', 3]],
  [20, ['large text', 3]],
]);

/** A message from the bytes of its FlatBuffer. InputError, with `where` for the file, where it is damaged. */
export function readArrowMessage(bytes: Uint8Array, where: string): ArrowMessage {
  try {
    return messageOf(rootTable(bytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${where}: an Arrow message cannot be read: ${error.message}. The file is damaged`, {
      cause: error,
    });
  }
}

function messageOf(message: Table): ArrowMessage {
  const version = message.int16(4, 0);
  if (!VERSIONS.includes(version)) throw new RangeError(`it is of metadata version ${version}`);
  const bodyBytes = message.int64(10);
  const header = message.table(8);
  const type = message.uint8(6, 0);
  if (header === undefined || bodyBytes < 0) throw new RangeError('it has no header, or a negative length');
  if (type === 1) return { bodyBytes, header: schemaOf(header) };
  if (type === 2) return { bodyBytes, header: { kind: 'dictionary' } };
  if (type === 3) return { bodyBytes, header: recordBatchOf(header) };
  throw new RangeError(`its header is of type ${type}`);
}

function schemaOf(schema: Table): ArrowSchema {
  if (schema.int16(4, 0) !== 0) throw new RangeError('its numbers are big-endian, which is not supported');
  return {
    kind: 'schema',
    fields: schema.tables(6).map((field) => fieldOf(field, 1)),
    metadata: metadataOf(schema, 8),
  };
}

function fieldOf(field: Table, depth: number): ArrowField {
  if (depth > MAX_DEPTH) throw new RangeError(`its types are nested deeper than ${MAX_DEPTH} levels`);
  const children = field.tables(14).map((child) => fieldOf(child, depth + 1));
  const dictionary = field.table(12) !== undefined;
  return {
    name: field.text(4),
    // Where there is a dictionary, the column's own buffers are indices into it, whatever its type.
    type: dictionary ? { kind: 'other', name: 'dictionary', buffers: 2 } : typeOf(field, children.length),
    children: dictionary ? [] : children,
    metadata: metadataOf(field, 16),
  };
}

function typeOf(field: Table, children: number): ArrowType {
  const number = field.uint8(8, 0);
  const type = field.table(10);
  if (type === undefined) throw new RangeError('a field has no type');
  const isList = number === 12 || number === 16 || number === 21;
  if (isList && children !== 1) throw new RangeError(`a list has ${children} types of elements`);
  const dtype = number === 2 ? integerOf(type) : number === 3 ? FLOATS[type.int16(4, 0)] : undefined;
  if (dtype !== undefined) return { kind: 'number', dtype };
  if (number === 12 || number === 21) return { kind: 'list', offsetBytes: number === 12 ? 4 : 8 };
  if (number === 16) return { kind: 'fixed list', size: type.int32(4, 0) };
  const other = OTHER_TYPES.get(number);
  if (other === undefined) throw new RangeError(`a column is of type ${number}, which is not supported`);
  return { kind: 'other', name: other[0], buffers: other[1] };
}

function integerOf(type: Table): Dtype {
  const bits = type.int32(4, 0);
  const dtype = (type.uint8(6, 0) === 0 ? UNSIGNED : SIGNED).get(bits);
  if (dtype === undefined) throw new RangeError(`integers of ${bits} bits do not exist`);
  return dtype;
}

function recordBatchOf(batch: Table): ArrowRecordBatch {
  if (batch.table(10) !== undefined) {
    throw new RangeError('its batches are compressed, which is not supported; save it without compression');
  }
  const rows = batch.int64(4);
  const nodes = batch.pairs(6).map(([length, nullCount]) => ({ length, nullCount }));
  const buffers = batch.pairs(8).map(([offset, length]) => ({ offset, length }));
  const counts = [rows, ...nodes.flatMap(Object.values), ...buffers.flatMap(Object.values)];
  if (counts.some((count) => count < 0)) throw new RangeError('a batch has a negative length');
  return { kind: 'batch', rows, nodes, buffers };
}

function metadataOf(table: Table, slot: number): Map<string, string> {
  return new Map(table.tables(slot).map((pair) => [pair.text(4), pair.text(6)]));
}

// ---- FlatBuffers (https://flatbuffers.dev/internals/) -----------------------------------------------------------

/** What is left of the tables and the bytes of text that may be read: a hostile buffer refers to the same ones often. */
interface Budget {
  tables: number;
  text: number;
}

function rootTable(bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Table(view, view.getUint32(0, true), { tables: MAX_TABLES, text: 2 * bytes.length });
}

/**
 * A table: a jump back to its list of fields, in which each slot (4, 6, 8, ...) tells where in the table the field lies,
 * 0 where it is left out. A place outside the buffer is a RangeError of DataView's.
 */
class Table {
  readonly #view: DataView;
  readonly #at: number;
  readonly #slots: number;
  readonly #budget: Budget;

  constructor(view: DataView, at: number, budget: Budget) {
    if (budget.tables-- === 0) throw new RangeError(`it has more than ${MAX_TABLES} tables`);
    this.#view = view;
    this.#at = at;
    this.#slots = at - view.getInt32(at, true);
    this.#budget = budget;
  }

  uint8(slot: number, missing: number): number {
    const at = this.#place(slot);
    return at === undefined ? missing : this.#view.getUint8(at);
  }

  int16(slot: number, missing: number): number {
    const at = this.#place(slot);
    return at === undefined ? missing : this.#view.getInt16(at, true);
  }

  int32(slot: number, missing: number): number {
    const at = this.#place(slot);
    return at === undefined ? missing : this.#view.getInt32(at, true);
  }

  int64(slot: number): number {
    const at = this.#place(slot);
    return at === undefined ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  text(slot: number): string {
    const { at, length } = this.#vector(slot, 1);
    this.#budget.text -= length;
    if (this.#budget.text < 0) throw new RangeError('it has more text than bytes');
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + at, length).toString('utf8');
  }

  table(slot: number): Table | undefined {
    const at = this.#place(slot);
    return at === undefined ? undefined : this.#tableAt(at);
  }

  tables(slot: number): Table[] {
    const { at, length } = this.#vector(slot, 4);
    return Array.from({ length }, (_, i) => this.#tableAt(at + 4 * i));
  }

  /** A vector of structs of two 64-bit integers. */
  pairs(slot: number): [number, number][] {
    const { at, length } = this.#vector(slot, 16);
    const integer = (place: number): number => Number(this.#view.getBigInt64(place, true));
    return Array.from({ length }, (_, i) => [integer(at + 16 * i), integer(at + 16 * i + 8)]);
  }

  #vector(slot: number, stride: number): { at: number; length: number } {
    const place = this.#place(slot);
    if (place === undefined) return { at: 0, length: 0 };
    const at = place + this.#view.getUint32(place, true);
    const length = this.#view.getUint32(at, true);
    if (at + 4 + length * stride > this.#view.byteLength) throw new RangeError('a list goes beyond its end');
    return { at: at + 4, length };
  }

  #tableAt(at: number): Table {
    return new Table(this.#view, at + this.#view.getUint32(at, true), this.#budget);
  }

  #place(slot: number): number | undefined {
    if (slot + 2 > this.#view.getUint16(this.#slots, true)) return undefined;
    const offset = this.#view.getUint16(this.#slots + slot, true);
    return offset === 0 ? undefined : this.#at + offset;
  }
}
