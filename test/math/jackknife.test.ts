import { expect, test } from 'vitest';
import { jackknifeInterval } from '../../src/math/jackknife.ts';
import { studentInterval } from '../../src/math/student.ts';

test('of a mean it is the interval of Student', () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const sum = values.reduce((a, b) => a + b, 0);
  const without = values.map((value) => (sum - value) / (values.length - 1));
  const [found, expected] = [jackknifeInterval(sum / values.length, without), studentInterval(values)];
  expect(found.low).toBeCloseTo(expected.low, 10);
  expect(found.high).toBeCloseTo(expected.high, 10);
});

test('one part leaves nothing to tell', () => {
  expect(jackknifeInterval(2, [1])).toEqual({ value: 2, low: NaN, high: NaN });
});
