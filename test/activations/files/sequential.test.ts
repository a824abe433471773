/** Rows that are read once, from the first to the last, into a store; what gives them is told when no more are wanted. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { importRows } from '../../../src/activations/files/sequential.ts';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'monosem-sequential-'));
  vi.stubEnv('MONOSEM_CACHE', join(dir, 'cache'));
  path = join(dir, 'file');
  await writeFile(path, 'of any content');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

it.each([
  ['all are there', 4, undefined],
  ['some are missing', 6, /file: it ends after \d of 6 rows/],
])('the file is closed where %s', async (part, rows, error) => {
  let closed = false;
  async function* parts() {
    try {
      yield Float32Array.of(1, 2, 3, 4);
      yield Float32Array.of(5, 6, 7, 8);
    } finally {
      closed = true;
    }
  }
  const open = async () => ({ name: path, rows, width: 2, labels: {}, parts });
  const importing = importRows(path, open, undefined, part);
  if (error) await expect(importing).rejects.toThrow(error);
  else
    expect((await (await importing).read([0])).activations).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(closed).toBe(true);
});
