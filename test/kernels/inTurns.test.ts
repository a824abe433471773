import { expect, test } from 'vitest';
import { inTurns } from '../../src/kernels/inTurns.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('all items in their order, never more at a time than there are places', async () => {
  const begun: number[] = [];
  const busy = new Set<string>();
  await inTurns(['a', 'b'], [0, 1, 2, 3, 4].values(), async (place, item) => {
    expect(busy.has(place)).toBe(false);
    busy.add(place);
    begun.push(item);
    for (let i = 0; i <= item % 3; i++) await tick();
    busy.delete(place);
  });
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('throws the error of one when none is at work any more', async () => {
  let working = 0;
  const all = inTurns([0, 1], [1, 2], async (_, item) => {
    working++;
    if (item === 2) {
      working--;
      throw new Error('two');
    }
    await tick();
    working--;
  });
  await expect(all).rejects.toThrow('two');
  expect(working).toBe(0);
});
