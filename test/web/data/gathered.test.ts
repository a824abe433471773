/** Ranges gathered into few requests: the same bytes, whatever is asked for together. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { gathered } from '../../../web/src/data/gathered.ts';

const BYTES = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 31) % 251);

function counted() {
  const requests: [number, number][] = [];
  const slice = async (start: number, end = BYTES.length) => {
    requests.push([start, end]);
    return BYTES.slice(start, end).buffer;
  };
  return { requests, file: gathered({ byteLength: BYTES.length, slice }) };
}

it('gives the bytes of every range, whatever others are asked for in the same turn', async () => {
  const place = fc.integer({ min: 0, max: BYTES.length });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 8 }), async (pairs) => {
      const { file, requests } = counted();
      const ranges = pairs.map((pair) => pair.toSorted((a, b) => a - b));
      const found = await Promise.all(ranges.map(([start, end]) => file.slice(start, end)));
      for (const [i, [start, end]] of ranges.entries())
        expect(Buffer.compare(Buffer.from(found[i]), Buffer.from(BYTES.slice(start, end)))).toBe(0);
      expect(requests.length).toBeLessThanOrEqual(ranges.length);
    }),
  );
});

it('asks once for what lies together, again for what is far or comes later', async () => {
  const { file, requests } = counted();
  await Promise.all([file.slice(100, 200), file.slice(0, 50), file.slice(300_000, 300_010)]);
  expect(requests).toEqual([
    [0, 200],
    [300_000, 300_010],
  ]);
  await file.slice(399_990);
  expect(requests).toHaveLength(3);
});

it('fails those whose request fails, and no other', async () => {
  const file = gathered({
    byteLength: BYTES.length,
    slice: (start) => (start === 0 ? Promise.reject(new Error('lost')) : BYTES.slice(start).buffer),
  });
  const [first, other] = await Promise.allSettled([file.slice(0, 10), file.slice(300_000, 300_005)]);
  expect(first.status).toBe('rejected');
  expect(other.status).toBe('fulfilled');
});
