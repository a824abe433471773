import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { appendJsonl, readJsonl } from '../../src/formats/jsonl.ts';

let path: string;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jsonl-'));
  path = join(dir, 'lines.jsonl');
});
afterEach(() => rm(dir, { recursive: true }));

test('what is appended is read, a line each', async () => {
  await appendJsonl(path, { step: 1, text: 'a\nb' });
  await appendJsonl(path, { step: 2, text: 'é' });
  expect(await readJsonl(path)).toEqual([
    { step: 1, text: 'a\nb' },
    { step: 2, text: 'é' },
  ]);
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
});

test('blank lines, carriage returns and a last line without a newline are taken', async () => {
  await writeFile(path, '{"a":1}\r\n\n  \n{"a":2}');
  expect(await readJsonl(path)).toEqual([{ a: 1 }, { a: 2 }]);
  await writeFile(path, '');
  expect(await readJsonl(path)).toEqual([]);
});

test('a cut anywhere loses the torn line only, where that is asked for', async () => {
  const objects = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(objects, fc.nat(), async (values, cut) => {
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      const kept = bytes.subarray(0, cut % (bytes.length + 1));
      await writeFile(path, kept);
      const read = await readJsonl(path, { tornTail: 'drop' });
      const whole = kept.filter((byte) => byte === 10).length;
      expect([whole, whole + 1]).toContain(read.length);
      expect(JSON.stringify(read)).toBe(JSON.stringify(values.slice(0, read.length)));
    }),
    { numRuns: 60 },
  );
});

test('a torn line is an error that names file and line where it is not asked for', async () => {
  await writeFile(path, '{"a":1}\n{"a":');
  await expect(readJsonl(path)).rejects.toThrow(InputError);
  await expect(readJsonl(path)).rejects.toThrow(/lines\.jsonl, line 2: not JSON.*cut short/);
});

test('a bad line that is not the torn last one is always an error', async () => {
  await writeFile(path, '{"a":1}\n{"a":\n{"a":3}\n');
  await expect(readJsonl(path, { tornTail: 'drop' })).rejects.toThrow(/lines\.jsonl, line 2/);
  await writeFile(path, '{"a":1}\n{"a":\n');
  await expect(readJsonl(path, { tornTail: 'drop' })).rejects.toThrow(/lines\.jsonl, line 2/);
  await writeFile(path, Buffer.from([0x22, 0xff, 0x22, 0x0a]));
  await expect(readJsonl(path)).rejects.toThrow(/lines\.jsonl, line 1/);
});

test('a missing file is named', async () => {
  await expect(readJsonl(path)).rejects.toThrow(/lines\.jsonl: there is no such file/);
});
