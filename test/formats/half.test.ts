import { describe, expect, test } from 'vitest';
import { narrowBF16, narrowF16, widenBF16, widenF16 } from '../../src/formats/half.ts';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
const isNan16 = (half: number, infinity: number) => (half & 0x7fff) > infinity;

describe('F16', () => {
  test('known values', () => {
    const known: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Infinity],
      [0x8000, -0],
    ];
    const widened = widenF16(Uint16Array.from(known, ([half]) => half));
    expect([...widened]).toEqual(known.map(([, x]) => x));
    expect([...narrowF16(widened)]).toEqual(known.map(([half]) => half));
  });

  test('every value survives widening and narrowing; NaN stays NaN', () => {
    const back = narrowF16(widenF16(all));
    const lost = all.filter((half) =>
      isNan16(half, 0x7c00) ? !isNan16(back[half], 0x7c00) : back[half] !== half,
    );
    expect(lost).toEqual(new Uint16Array(0));
  });

  test('narrowing takes the nearest, ties to even', () => {
    const between = Float32Array.of(
      2049,
      2051,
      65519,
      65520,
      2 ** -25,
      3 * 2 ** -25,
      2 ** -26,
      1 + 2 ** -11,
      2047.9,
    );
    expect([...widenF16(narrowF16(between))]).toEqual([2048, 2052, 65504, Infinity, 0, 2 ** -23, 0, 1, 2048]);
  });
});

describe('BF16', () => {
  test('known values, by the upper half of a float32', () => {
    expect([...widenBF16(Uint16Array.of(0x3f80, 0xc040, 0x7f80, 0x0001))]).toEqual([
      1,
      -3,
      Infinity,
      2 ** -133,
    ]);
  });

  test('every value survives widening and narrowing; NaN stays NaN', () => {
    const back = narrowBF16(widenBF16(all));
    const lost = all.filter((half) =>
      isNan16(half, 0x7f80) ? !isNan16(back[half], 0x7f80) : back[half] !== half,
    );
    expect(lost).toEqual(new Uint16Array(0));
  });

  test('narrowing takes the nearest, ties to even', () => {
    const between = Float32Array.of(257, 259, 258.5, -257, 3.4028234663852886e38);
    expect([...widenBF16(narrowBF16(between))]).toEqual([256, 260, 258, -256, Infinity]);
  });
});
