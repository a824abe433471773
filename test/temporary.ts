/** Directories for files of tests, gone when the tests of a file are over. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true, force: true }))));

export async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'monosem-test-'));
  made.push(directory);
  return directory;
}
