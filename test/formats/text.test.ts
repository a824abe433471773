import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256, sha256File } from '../../src/formats/hash.ts';
import { checkJsonKeys } from '../../src/formats/json.ts';
import { closest, editDistance } from '../../src/formats/suggest.ts';

describe('sha256', () => {
  // FIPS 180-2, appendix B.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const millionA = 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';

  test('the published vectors', () => {
    expect(sha256('abc')).toBe(abc);
    expect(sha256(Uint8Array.of(97, 98, 99))).toBe(abc);
    expect(sha256('a'.repeat(1_000_000))).toBe(millionA);
  });

  test('a file has the hash of its bytes; a missing one is named', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hash-'));
    await writeFile(join(dir, 'file'), 'a'.repeat(1_000_000));
    expect(await sha256File(join(dir, 'file'))).toBe(millionA);
    await expect(sha256File(join(dir, 'none'))).rejects.toThrow(/none: there is no such file/);
    await rm(dir, { recursive: true });
  });
});

describe('closest', () => {
  test('known distances', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('same', 'same')).toBe(0);
  });

  test('a distance is symmetric, bounded by the longer word, and obeys the triangle inequality', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });

  test('suggests what was meant, and nothing where nothing is near', () => {
    const keys = ['learningRate', 'latents', 'batch', 'k'];
    expect(closest('learning_rate', keys)).toBe('learningRate');
    expect(closest('latent', keys)).toBe('latents');
    expect(closest('BATCH', keys)).toBe('batch');
    expect(closest('zzz', keys)).toBeUndefined();
    expect(closest('q', keys)).toBeUndefined();
    expect(closest('k', [])).toBeUndefined();
  });
});

describe('checkJsonKeys', () => {
  test('passes all JSON that fast-check makes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value, null, 1);
        if (!text.includes('__proto__')) checkJsonKeys(text, 20);
      }),
    );
  });

  test('finds a repeated key at any depth, however it is spelled', () => {
    expect(() => checkJsonKeys('{"a":1,"b":[{"c":1,"\\u0063" :2}]}', 9)).toThrow(/given twice/);
    expect(() => checkJsonKeys('{"a\\"":{"x":1},"a\\"":2}', 9)).toThrow(/given twice/);
    expect(() => checkJsonKeys('{"a":{"x":1},"b":{"x":1},"c":["x","x"],"d":"{\\"x\\":"}', 9)).not.toThrow();
  });
});
