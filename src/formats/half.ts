/**
 * Sixteen-bit floats, which JavaScript has no array of: IEEE 754 binary16 (F16) and bfloat16 (BF16) to float32
 * and back. Widening is exact; narrowing rounds to the nearest, ties to even.
 */

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The float32 of every binary16, made on first use: 256 KiB. */
let halfTable: Float32Array | undefined;

/** Binary16 to float32, exactly. */
export function widenF16(halves: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, half) => halfValue(half));
  const table = halfTable;
  return Float32Array.from(halves, (half) => table[half]);
}

/** Binary16: a sign, 5 bits of exponent biased by 15, 10 bits of fraction; exponent 0 is subnormal. */
function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Float32 to binary16. From 65520 up, which is halfway past the largest, the result is infinite. */
export function narrowF16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (x) => {
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
    const size = Math.abs(x);
    if (Number.isNaN(x)) return 0x7e00;
    if (size >= 65520) return sign | 0x7c00;
    const exponent = Math.max(-14, Math.floor(Math.log2(size)));
    // Counted in units of the last place, so that a carry runs over into the exponent by itself.
    return sign | ((exponent + 14) * 1024 + roundEven(size / 2 ** (exponent - 10)));
  });
}

function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Bfloat16 to float32, exactly: bfloat16 is the upper half of a float32. */
export function widenBF16(halves: Uint16Array): Float32Array {
  const words = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(words.buffer);
}

/** Float32 to bfloat16. */
export function narrowBF16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (x) => {
    value[0] = x;
    const word = bits[0];
    if (Number.isNaN(x)) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
