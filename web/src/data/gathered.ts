/** Byte ranges of a file fetched together where they are asked for together. It must not know what is in them. */
import type { AsyncBuffer } from 'hyparquet';

/** Bytes between two ranges that are cheaper to fetch than to ask for the second range by itself. */
const GAP = 64 * 1024;

interface Asked {
  readonly start: number;
  readonly end: number;
  readonly resolve: (bytes: ArrayBuffer | Promise<ArrayBuffer>) => void;
}

/** The same file; ranges that are asked for in one turn become as few requests as lie apart. */
export function gathered({ byteLength, slice }: Pick<AsyncBuffer, 'byteLength' | 'slice'>): AsyncBuffer {
  let asked: Asked[] = [];
  const fetchAll = () => {
    const sorted = asked.sort((a, b) => a.start - b.start);
    asked = [];
    for (let first = 0; first < sorted.length; ) {
      const { start } = sorted[first];
      let { end } = sorted[first];
      let next = first + 1;
      for (; next < sorted.length && sorted[next].start <= end + GAP; next++)
        end = Math.max(end, sorted[next].end);
      const bytes = Promise.resolve(slice(start, end));
      for (const one of sorted.slice(first, next))
        one.resolve(bytes.then((all) => all.slice(one.start - start, one.end - start)));
      first = next;
    }
  };
  return {
    byteLength,
    slice: (start, end = byteLength) =>
      new Promise((resolve) => {
        if (asked.push({ start, end, resolve }) === 1) setTimeout(fetchAll);
      }),
  };
}
