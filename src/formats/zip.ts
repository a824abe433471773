/**
 * Zip archives as data files use them (`.npz`, `.pt`): named members, read one at a time by their place in the file
 * and held to what the archive says of them (PKWARE's APPNOTE 6.3.10). Nothing is ever extracted to a path. It must
 * not know what the members hold.
 *
 * A hostile archive costs no more memory than the caller's limit: the sizes that it claims are checked against the
 * file, against each other and against what deflate can do, before anything is inflated.
 */

import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import {
  type Entry,
  fromRandomAccessReader,
  RandomAccessReader,
  validateFileName,
  type ZipFile,
} from 'yauzl';
import { writePiecesAtomic } from './atomic.ts';
import { explainSystemError, InputError } from './errors.ts';
import { readRange, withFile } from './files.ts';

export interface ZipMember {
  readonly name: string;
  /** The member's bytes, inflated. */
  readonly size: number;
}

export interface ZipArchive {
  /** In the order of the archive's directory. Directories, whose names end in a slash, are left out. */
  readonly members: ReadonlyMap<string, ZipMember>;
  /** A member's bytes, inflated, at the start of a buffer of their own. InputError where they are damaged. */
  read(name: string): Promise<Uint8Array>;
}

/** A member and where its bytes lie in the file. */
interface PlacedMember extends ZipMember {
  readonly entry: Entry;
  readonly begin: number;
  readonly end: number;
}

const STORED = 0;
const DEFLATED = 8;
/** Deflate's shortest code for its longest match, 258 bytes, takes 2 bits: no stream inflates more than this. */
const DEFLATE_MAX_RATIO = 1032;
/** What all members may hold together, as a multiple of the file's size, where the caller sets no limit. */
const DEFAULT_RATIO = 64;
const MAX_MEMBERS = 100_000;
const inflate = promisify(inflateRaw);

// ---- Reading -----------------------------------------------------------------------------------------------

/**
 * What `use` makes of the archive at `path`, which is closed afterwards. `maxBytes` limits what all members hold
 * together, inflated; 64 times the file's size where not given. InputError names the file, and the member, where it
 * is no zip archive or truncated, where a member is encrypted, is compressed in another way than deflate, overlaps
 * another, has another's name, or a name that is absolute or has `..` in it.
 */
export async function withZip<T>(
  path: string,
  use: (archive: ZipArchive) => Promise<T>,
  maxBytes?: number,
): Promise<T> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const placed = await listMembers(file, size, path);
    checkTotal(placed, maxBytes ?? DEFAULT_RATIO * size, path);
    const members = new Map(placed.map((member) => [member.name, member]));
    return use({
      members,
      read: (name) => readMember(file, members.get(name), `${path}: member ${JSON.stringify(name)}`),
    });
  });
}

/** Gives the library parts of an open file. A place beyond its end is an error here, where Node would throw. */
class FileReader extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly #size: number;

  constructor(file: FileHandle, size: number) {
    super();
    this.#file = file;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (position < 0 || position + length > this.#size) {
      setImmediate(callback, new Error(`bytes ${position} to ${position + length} lie beyond its end`));
      return;
    }
    this.#file.read(buffer, offset, length, position).then(
      ({ bytesRead }) => setImmediate(callback, null, bytesRead),
      (error) => setImmediate(callback, error),
    );
  }

  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null);
  }
}

async function listMembers(file: FileHandle, fileSize: number, path: string): Promise<PlacedMember[]> {
  const members: PlacedMember[] = [];
  const names = new Set<string>();
  try {
    const zip = await openZip(file, fileSize);
    if (zip.entryCount > MAX_MEMBERS) {
      throw new InputError(`${path}: ${zip.entryCount} members are announced, the limit is ${MAX_MEMBERS}`);
    }
    for await (const entry of zip.eachEntry()) {
      const where = `${path}: member ${JSON.stringify(entry.fileName)}`;
      if (names.has(entry.fileName)) throw new InputError(`${where}: the name is given twice`);
      names.add(entry.fileName);
      checkEntry(entry, where);
      const { fileDataStart: begin } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      const end = begin + entry.compressedSize;
      members.push({ name: entry.fileName, size: entry.uncompressedSize, entry, begin, end });
    }
  } catch (error) {
    const explained = explainSystemError(error, 'read', path);
    if (explained instanceof InputError) throw explained;
    throw new InputError(
      `${path}: cannot be read as a zip archive; it is truncated, damaged or of another format: ${(error as Error).message}`,
      { cause: error },
    );
  }
  checkOverlaps(members, path);
  return members.filter(({ name }) => !name.endsWith('/'));
}

function openZip(file: FileHandle, fileSize: number): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true };
  return new Promise((resolve, reject) => {
    fromRandomAccessReader(new FileReader(file, fileSize), fileSize, options, (error, zip) => {
      if (error) reject(error);
      else resolve(zip);
    });
  });
}

function checkEntry(entry: Entry, where: string): void {
  const { compressionMethod, compressedSize, uncompressedSize } = entry;
  if (entry.isEncrypted()) {
    throw new InputError(`${where}: it is encrypted, which is not supported; save it without a password`);
  }
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw new InputError(
      `${where}: compression method ${compressionMethod} is not supported; store it or deflate it`,
    );
  }
  if (compressionMethod === DEFLATED && uncompressedSize > compressedSize * DEFLATE_MAX_RATIO) {
    throw new InputError(
      `${where}: ${compressedSize} bytes are said to inflate to ${uncompressedSize}, more than deflate can do`,
    );
  }
}

/** A member begins with its local header, which stands before its bytes. */
function checkOverlaps(members: readonly PlacedMember[], path: string): void {
  const start = ({ entry }: PlacedMember): number => entry.relativeOffsetOfLocalHeader;
  const sorted = [...members].sort((a, b) => start(a) - start(b));
  for (let i = 1; i < sorted.length; i++) {
    if (start(sorted[i]) < sorted[i - 1].end) {
      throw new InputError(
        `${path}: member ${JSON.stringify(sorted[i].name)} overlaps ${JSON.stringify(sorted[i - 1].name)}`,
      );
    }
  }
}

function checkTotal(members: readonly PlacedMember[], maxBytes: number, path: string): void {
  const total = members.reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) {
    throw new InputError(
      `${path}: its members inflate to ${total} bytes, the limit is ${maxBytes}; if the file is to be trusted, unpack it and save it uncompressed`,
    );
  }
}

async function readMember(
  file: FileHandle,
  member: PlacedMember | undefined,
  where: string,
): Promise<Uint8Array> {
  if (member === undefined) throw new InputError(`${where}: there is no such member`);
  const { entry, begin, end, size } = member;
  const stored = await readRange(file, begin, end - begin, where);
  const bytes = entry.compressionMethod === STORED ? stored : await inflateExactly(stored, size, where);
  const found = crc32(bytes);
  if (found !== entry.crc32) {
    throw new InputError(
      `${where}: its checksum is ${hex(found)}, the archive says ${hex(entry.crc32)}. The file is damaged`,
    );
  }
  return bytes;
}

async function inflateExactly(bytes: Uint8Array, size: number, where: string): Promise<Uint8Array> {
  let inflated: Uint8Array;
  try {
    // A byte more than wanted is enough to see that there are too many. Zero is no length that it takes.
    inflated = await inflate(bytes, { maxOutputLength: size + 1 });
  } catch (error) {
    const reason = (error as Error).message;
    throw new InputError(`${where}: it does not inflate to its ${size} bytes: ${reason}`, { cause: error });
  }
  if (inflated.length !== size) {
    throw new InputError(
      `${where}: it inflates to ${inflated.length} bytes or more, the archive says ${size}`,
    );
  }
  return new Uint8Array(inflated);
}

/** Node's own gives 0 for an empty array, whatever came before. */
function addToChecksum(sum: number, piece: Uint8Array): number {
  return piece.length === 0 ? sum : crc32(piece, sum);
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

// ---- Writing -----------------------------------------------------------------------------------------------

const MAX_UINT32 = 0xffffffff;
const MAX_UINT16 = 0xffff;
/** The first of January 1980, the earliest date there is: the same members give the same bytes. */
const DOS_DATE = (1 << 5) | 1;
const UTF8_NAMES = 1 << 11;
const VERSION = 20;
const LOCAL_HEADER = 30;

/**
 * Writes an archive of uncompressed members atomically; each member is given as pieces that follow each other, and
 * is written before the next is asked for. InputError where the archive would need the zip64 format, that is, from 4 GiB
 * or 65,535 members; RangeError for a name that is absolute or has `..` in it, which no reader would take.
 */
export async function writeZip(
  path: string,
  members: Iterable<readonly [name: string, pieces: readonly Uint8Array[]]>,
): Promise<void> {
  await writePiecesAtomic(path, encodeZip(path, members));
}

function* encodeZip(
  path: string,
  members: Iterable<readonly [string, readonly Uint8Array[]]>,
): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const [name, pieces] of members) {
    const fault = validateFileName(name);
    if (fault !== null) throw new RangeError(`member ${JSON.stringify(name)}: ${fault}`);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    const headerBytes = LOCAL_HEADER + Buffer.byteLength(name, 'utf8');
    if (position + headerBytes + size > MAX_UINT32 || directory.length === MAX_UINT16 - 1) {
      throw new InputError(
        `${path}: member ${JSON.stringify(name)} would make the archive larger than 4 GiB or longer than 65,534 members, which is not supported; save it as safetensors`,
      );
    }
    const fields = commonFields(name, size, pieces.reduce(addToChecksum, 0));
    const local = Buffer.concat([uint32(0x04034b50), fields, Buffer.from(name, 'utf8')]);
    directory.push(directoryEntry(name, fields, position));
    position += headerBytes + size;
    yield local;
    yield* pieces;
  }
  yield* directory;
  yield directoryEnd(directory, position);
}

/** What the local header and the directory both say of a member, from "version needed" to "extra field length". */
function commonFields(name: string, size: number, checksum: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION, 0);
  fields.writeUInt16LE(UTF8_NAMES, 2);
  fields.writeUInt16LE(STORED, 4);
  fields.writeUInt16LE(DOS_DATE, 8);
  fields.writeUInt32LE(checksum, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(Buffer.byteLength(name, 'utf8'), 22);
  return fields;
}

function directoryEntry(name: string, fields: Buffer, position: number): Uint8Array {
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(position, 10);
  const madeBy = Buffer.from([VERSION, 0]);
  return Buffer.concat([uint32(0x02014b50), madeBy, fields, tail, Buffer.from(name, 'utf8')]);
}

function directoryEnd(directory: readonly Uint8Array[], position: number): Uint8Array {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(position, 16);
  return end;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
