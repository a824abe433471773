/** Control of the share of false discoveries among many tests. It must not know what was tested. */

/**
 * Which of the hypotheses with p-values `p` are rejected so that the expected share of false ones among them is at most
 * `level`: all up to the largest `p_(i) <= level i / n`. Benjamini and Hochberg, JRSS B 57, 1995. NaN is a hypothesis that was not tested.
 */
export function benjaminiHochberg(p: ArrayLike<number>, level: number): Uint8Array {
  const tested = Array.from(p).filter((value) => !Number.isNaN(value));
  tested.sort((a, b) => a - b);
  let bound = -1;
  tested.forEach((value, i) => {
    if (value <= (level * (i + 1)) / tested.length) bound = value;
  });
  return Uint8Array.from(p, (value) => Number(value <= bound));
}
