import { expect, test } from 'vitest';
import { unexplained } from '../../src/evaluation/unexplained.ts';

const y = [0, 4, 2, 0, 4, 2];

test('is 0 of the rows themselves, 1 of their mean, and by hand in between', () => {
  expect(unexplained(y, y, 2)).toBe(0);
  expect(unexplained([2, 2, 2, 2, 2, 2], y, 2)).toBe(1);
  // Squares left: 1 + 1; squares about the mean (2, 2): 4 + 4 + 0 + 4 + 4 + 0.
  expect(unexplained([1, 4, 2, 1, 4, 2], y, 2)).toBeCloseTo(2 / 16, 14);
});

test('refuses rows that do not match', () => {
  expect(() => unexplained([1, 2], y, 2)).toThrow('2 values were given for 6');
});
