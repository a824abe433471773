/** Against Node's own. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamState } from '../../src/math/random.ts';
import { sha256Words } from '../../src/math/sha256.ts';

const hex = (words: Uint32Array) => Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
const nodes = (message: Uint8Array | string) => createHash('sha256').update(message).digest();

describe('sha256Words', () => {
  it('is what Node has, of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        expect(hex(sha256Words(message))).toBe(nodes(message).toString('hex'));
      }),
    );
  });

  it('is what Node has about the lengths at which a block begins', () => {
    for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128]) {
      const message = Uint8Array.from({ length }, (_, i) => i * 37);
      expect(hex(sha256Words(message))).toBe(nodes(message).toString('hex'));
    }
  });
});

it('a stream begins with the first 16 bytes of the digest of its name', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.array(fc.string({ unit: 'binary' })), (seed, labels) => {
      const digest = nodes(JSON.stringify([seed, ...labels]));
      expect([...streamState(seed, ...labels)]).toEqual([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
    }),
  );
});
