/**
 * Files and directories that are either there in full or not there at all: all is written under a temporary
 * name beside the target, flushed to the disk, and renamed. It must not know what the bytes mean.
 */

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { explainSystemError, InputError, systemCode } from './errors.ts';

/** A name in the same directory, so that the rename stays on one file system. */
function temporaryName(path: string): string {
  const full = resolve(path);
  return join(dirname(full), `.${basename(full).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Flushes a directory's entries, which a rename changes. Not every platform can open a directory. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Puts bytes (or a string as UTF-8) at `path`, replacing a file that is there. A reader sees the old file or
 * the new one, never a part. On failure nothing new is left, and an InputError names the path and says what to do.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const pieces = typeof data === 'string' ? [Buffer.from(data, 'utf8')] : [data];
  await writePiecesAtomic(path, pieces);
}

/**
 * `writeFileAtomic` for a file made of several pieces, which are never joined in memory: each is written before the
 * next is asked for.
 */
export async function writePiecesAtomic(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for await (const piece of pieces) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await removeQuietly(temporary);
    throw explainSystemError(error, 'write', path);
  }
  await syncDirectory(dirname(resolve(path)));
}

/** Flushes every file and directory below `directory`, and the directory itself. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncDirectory(directory);
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Puts a directory at `path` in one rename, once `fill` has written its files into the temporary directory that
 * it is given. Parents are made. A target that exists is refused before `fill` runs, and again before the rename; with `replace` it
 * makes way once the new one is whole, and is back in its place where that fails.
 * Where `fill` fails, its error is passed on, naming the target in place of the temporary directory, and nothing
 * is left behind.
 */
export async function writeDirAtomic(
  path: string,
  fill: (directory: string) => Promise<void>,
  { replace = false } = {},
): Promise<void> {
  const temporary = temporaryName(path);
  const parent = dirname(resolve(path));
  try {
    await explained(path, async () => {
      await mkdir(parent, { recursive: true });
      if (!replace) await refuseExisting(path);
      await mkdir(temporary);
    });
    await fill(temporary);
    await explained(path, async () => {
      await syncTree(temporary);
      if (replace) await renameOver(temporary, path);
      else {
        await refuseExisting(path);
        await rename(temporary, path);
      }
    });
  } catch (error) {
    await removeQuietly(temporary);
    throw withTargetNamed(error, temporary, path);
  }
  await syncDirectory(parent);
}

async function explained(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw explainSystemError(error, 'write', path);
  }
}

/** A system error is explained where it is about the temporary directory; a full disk shows in a bare `write`. */
function withTargetNamed(error: unknown, temporary: string, path: string): unknown {
  if (error instanceof InputError) {
    return new InputError(error.message.replaceAll(temporary, path), { cause: error.cause });
  }
  const { path: culprit, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const ours =
    culprit === undefined ? syscall === 'write' || syscall === 'fsync' : culprit.startsWith(temporary);
  return ours ? explainSystemError(error, 'write', path) : error;
}

/** A directory that is not empty cannot be renamed over, so the old one steps aside first. */
async function renameOver(temporary: string, path: string): Promise<void> {
  const aside = temporaryName(path);
  const moved = await rename(path, aside).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await rename(temporary, path);
  } catch (error) {
    if (moved) await rename(aside, path);
    throw error;
  }
  if (moved) await rm(aside, { recursive: true, force: true });
}

/** A rename would replace an empty directory without a word, so the target is looked for first. */
async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).then(
    () => true,
    () => false,
  );
  if (found)
    throw new InputError(`cannot write ${path}: it exists already; choose another name or remove it`);
}

/** The first error is the one to report, so one met while clearing up is swallowed. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
