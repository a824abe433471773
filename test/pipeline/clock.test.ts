import { describe, expect, it } from 'vitest';
import { aloneSeconds, startClock, sum, timed, times } from '../../src/pipeline/clock.ts';

const busyFor = (milliseconds: number) => {
  const until = process.cpuUsage().user + milliseconds * 1000;
  while (process.cpuUsage().user < until);
};

describe('clock', () => {
  it('tells work from sleep', async () => {
    const asleep = await timed(() => new Promise((resolve) => setTimeout(resolve, 60)));
    expect(asleep.wallSeconds).toBeGreaterThan(0.055);
    const clock = startClock();
    busyFor(60);
    const awake = clock();
    expect(awake.cpuSeconds).toBeGreaterThan(0.055);
    expect(awake.waitSeconds).toBeGreaterThanOrEqual(0);
  });

  it('adds and multiplies', () => {
    const one = { wallSeconds: 1, cpuSeconds: 2, waitSeconds: 3 };
    expect(sum(one, times(one, 2))).toEqual({ wallSeconds: 3, cpuSeconds: 6, waitSeconds: 9 });
  });

  it('takes waiting for a processor out of the time on the wall', () => {
    expect(aloneSeconds({ wallSeconds: 9, cpuSeconds: 2, waitSeconds: 4 })).toBe(3);
    expect(aloneSeconds({ wallSeconds: 9, cpuSeconds: 2 })).toBe(9);
    expect(aloneSeconds({ wallSeconds: 9, cpuSeconds: 0, waitSeconds: 0 })).toBe(9);
  });
});
