import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeDirAtomic, writeFileAtomic, writePiecesAtomic } from '../../src/formats/atomic.ts';
import { InputError } from '../../src/formats/errors.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-'));
});
afterEach(() => rm(dir, { recursive: true }));

const systemError = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, path });

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('writeFileAtomic', () => {
  test('writes bytes and strings, and replaces what was there', async () => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'é');
    expect(await readFile(path)).toEqual(Buffer.from([0xc3, 0xa9]));
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    expect(await readFile(path)).toEqual(Buffer.from([1, 2]));
    expect(await readdir(dir)).toEqual(['file']);
  });

  test('a write that fails midway leaves the old file whole and nothing beside it', async () => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'old');
    function* pieces() {
      yield Buffer.from('new, in part');
      throw systemError('ENOSPC', 'write');
    }
    const error = await errorOf(writePiecesAtomic(path, pieces()));
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toBe(
      `cannot write ${path}: the disk is full; free some space or choose another place (ENOSPC)`,
    );
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(dir)).toEqual(['file']);
  });

  test('a reader during the write sees the old file only', async () => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'old');
    const seen: string[] = [];
    const { readFileSync } = await import('node:fs');
    function* pieces() {
      for (let i = 0; i < 5; i++) {
        seen.push(readFileSync(path, 'utf8'));
        yield Buffer.from('new');
      }
    }
    await writePiecesAtomic(path, pieces());
    expect(seen).toEqual(Array(5).fill('old'));
    expect(await readFile(path, 'utf8')).toBe('new'.repeat(5));
  });

  test('an error that is not the system’s is passed on as it is', async () => {
    const fault = new RangeError('mine');
    function* pieces(): Generator<Uint8Array> {
      yield Buffer.from('a');
      throw fault;
    }
    expect(await errorOf(writePiecesAtomic(join(dir, 'file'), pieces()))).toBe(fault);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a path below a file, a missing directory, a directory in the way: named, with what to do', async () => {
    await writeFile(join(dir, 'plain'), '');
    await mkdir(join(dir, 'taken'));
    const cases: [string, RegExp][] = [
      ['plain/file', /plain\/file: a part of the path is a file/],
      ['none/file', /none\/file: there is no such file or directory/],
      ['taken', /taken: it is a directory/],
    ];
    for (const [name, message] of cases) {
      const error = await errorOf(writeFileAtomic(join(dir, name), 'x'));
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(message);
    }
    expect((await readdir(dir)).sort()).toEqual(['plain', 'taken']);
  });

  test('a name of the longest kind can be written', async () => {
    const name = 'n'.repeat(255);
    await writeFileAtomic(join(dir, name), 'x');
    expect(await readdir(dir)).toEqual([name]);
  });
});

describe('writeDirAtomic', () => {
  test('the directory appears whole, parents made, and not before it is filled', async () => {
    const path = join(dir, 'a', 'b', 'run');
    await writeDirAtomic(path, async (temporary) => {
      await writeFile(join(temporary, 'one'), '1');
      await mkdir(join(temporary, 'sub'));
      await writeFile(join(temporary, 'sub', 'two'), '2');
      expect(await readdir(join(dir, 'a', 'b'))).not.toContain('run');
    });
    expect(await readdir(path)).toEqual(['one', 'sub']);
    expect(await readFile(join(path, 'sub', 'two'), 'utf8')).toBe('2');
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['run']);
  });

  test('with replace, the old directory is there until the new one is whole, and back where that fails', async () => {
    const path = join(dir, 'site');
    const fill = (text: string) => async (temporary: string) => {
      if (text !== 'first') expect(await readFile(join(path, 'file'), 'utf8')).toBe('first');
      await writeFile(join(temporary, 'file'), text);
      if (text === 'failing') throw new RangeError('mine');
    };
    await writeDirAtomic(path, fill('first'), { replace: true });
    await expect(writeDirAtomic(path, fill('failing'), { replace: true })).rejects.toThrow('mine');
    expect(await readFile(join(path, 'file'), 'utf8')).toBe('first');
    await writeDirAtomic(path, fill('second'), { replace: true });
    expect(await readFile(join(path, 'file'), 'utf8')).toBe('second');
    expect(await readdir(dir)).toEqual(['site']);
  });

  test('a failing fill leaves nothing, and its error is passed on', async () => {
    const fault = new Error('mine');
    const work = writeDirAtomic(join(dir, 'run'), async (temporary) => {
      await writeFile(join(temporary, 'one'), '1');
      throw fault;
    });
    expect(await errorOf(work)).toBe(fault);
    expect(await readdir(dir)).toEqual([]);
  });

  test.each(['file', 'empty directory', 'dangling link'])(
    'a target that exists (%s) is refused untouched',
    async (kind) => {
      const path = join(dir, 'run');
      if (kind === 'file') await writeFile(path, 'mine');
      else if (kind === 'empty directory') await mkdir(path);
      else await symlink(join(dir, 'nowhere'), path);
      let filled = false;
      const error = await errorOf(
        writeDirAtomic(path, async () => {
          filled = true;
        }),
      );
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toContain(`${path}: it exists already`);
      expect(filled).toBe(false);
      expect(await readdir(dir)).toEqual(['run']);
    },
  );

  test('a target that appears while the fill goes on is refused untouched', async () => {
    const path = join(dir, 'run');
    const error = await errorOf(writeDirAtomic(path, () => mkdir(path)));
    expect(error).toBeInstanceOf(InputError);
    expect(await readdir(dir)).toEqual(['run']);
  });

  test('a full disk in the fill names the target, not the temporary directory', async () => {
    const path = join(dir, 'run');
    const bare = await errorOf(writeDirAtomic(path, () => Promise.reject(systemError('ENOSPC', 'write'))));
    expect((bare as Error).message).toMatch(/run: the disk is full/);
    const work = writeDirAtomic(path, (temporary) => writeFileAtomic(join(temporary, 'no', 'file'), 'x'));
    const nested = await errorOf(work);
    expect(nested).toBeInstanceOf(InputError);
    expect((nested as Error).message).toContain(`cannot write ${join(path, 'no', 'file')}: there is no such`);
  });

  test('an error of the fill about another file is not blamed on the target', async () => {
    const fault = systemError('ENOENT', 'open', '/elsewhere/corpus.txt');
    expect(await errorOf(writeDirAtomic(join(dir, 'run'), () => Promise.reject(fault)))).toBe(fault);
  });

  test('a path below a file is named', async () => {
    await writeFile(join(dir, 'plain'), '');
    const error = await errorOf(writeDirAtomic(join(dir, 'plain', 'run'), async () => {}));
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(join(dir, 'plain', 'run'));
  });
});

test('a device that is really full gives the same words', async ({ skip }) => {
  const full = await open('/dev/full', 'w').catch(() => undefined);
  if (full === undefined) return skip('this system has no /dev/full');
  const error = await errorOf(
    writeDirAtomic(join(dir, 'run'), async () => {
      await full.writeFile('x');
    }),
  );
  await full.close();
  expect((error as Error).message).toMatch(/run: the disk is full.*ENOSPC/);
});
