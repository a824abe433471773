/** Edits of codes, against edits of a dense table of activations. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkEdits,
  codeChanges,
  type LatentEdit,
  MOST_EDITS,
} from '../../src/interpretation/latentEdits.ts';
import type { SparseRows } from '../../src/kernels/backend.ts';

const LATENTS = 5;
const FIRST = 1;

function sparse(dense: readonly (readonly number[])[]): SparseRows {
  const offsets = [0];
  const [indices, values]: number[][] = [[], []];
  for (const row of dense) {
    row.forEach((value, latent) => {
      if (value === 0) return;
      indices.push(latent);
      values.push(value);
    });
    offsets.push(indices.length);
  }
  return {
    rows: dense.length,
    offsets: Uint32Array.from(offsets),
    indices: Uint32Array.from(indices),
    values: Float32Array.from(values),
  };
}

function dense({ rows, offsets, indices, values }: SparseRows): number[][] {
  return Array.from({ length: rows }, (_, r) => {
    const row = new Array<number>(LATENTS).fill(0);
    for (let e = offsets[r]; e < offsets[r + 1]; e++) row[indices[e]] += values[e];
    return row;
  });
}

const small = fc.integer({ min: -8, max: 8 });
const edit: fc.Arbitrary<LatentEdit> = fc
  .record({
    latent: fc.nat({ max: LATENTS - 1 }),
    kind: fc.constantFrom('ablate', 'scale', 'add', 'set'),
    value: small,
    positions: fc.option(fc.array(fc.integer({ min: 1, max: 4 })), { nil: undefined }),
  })
  .map((any) => any as LatentEdit);

describe('changes of codes', () => {
  test('are what the edits, one after the other, make of a dense table less the table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(small, { minLength: LATENTS, maxLength: LATENTS }), { minLength: 1, maxLength: 4 }),
        fc.array(edit, { maxLength: 6 }),
        (table, edits) => {
          const expected = table.map((row, r) => {
            const after = [...row];
            for (const one of edits) {
              if (one.positions && !one.positions.includes(FIRST + r)) continue;
              const a = after[one.latent];
              if (one.kind === 'ablate') after[one.latent] = 0;
              else if (one.kind === 'scale') after[one.latent] = a * one.value;
              else if (one.kind === 'add') after[one.latent] = a + one.value;
              else after[one.latent] = one.value;
            }
            return after.map((value, j) => value - row[j]);
          });
          const changes = codeChanges(sparse(table), FIRST, edits);
          // Rows of integers: no rounding, and -0 is 0.
          expect(dense(changes)).toEqual(expected.map((row) => row.map((value) => value + 0)));
          expect(changes.values.every((value) => value !== 0)).toBe(true);
        },
      ),
    );
  });

  test('have columns in order, each once in a row', () => {
    const { indices } = codeChanges(sparse([[0, 1, 0, 1, 0]]), FIRST, [
      { latent: 3, kind: 'ablate' },
      { latent: 0, kind: 'add', value: 1 },
      { latent: 3, kind: 'add', value: 7 },
    ]);
    expect([...indices]).toEqual([0, 3]);
  });
});

describe('edits are refused', () => {
  const add = { latent: 0, kind: 'add', value: 1 } as const;
  test.each([
    [{ ...add, latent: 5 }, /edits\[1\]\.latent: found 5, expected .*0 to 4/],
    [{ ...add, latent: -1 }, /latent: found -1/],
    [{ ...add, latent: 1.5 }, /latent: found 1.5/],
    [{ ...add, value: NaN }, /value: found NaN/],
    [{ ...add, value: -Infinity }, /value: found -Infinity/],
    [{ ...add, value: 1e7 }, /value: found 10000000/],
    [{ ...add, positions: [0] }, /positions: found 0, expected tokens 1 to 3 .*BOS/],
    [{ ...add, positions: [1, 4] }, /positions: found 4/],
  ])('%o', (wrong, message) => {
    expect(() => checkEdits([add, wrong], LATENTS, 4)).toThrow(message);
    expect(() => checkEdits([add], LATENTS, 4)).not.toThrow();
  });

  test('when there are too many', () => {
    expect(() => checkEdits(new Array(MOST_EDITS + 1).fill(add), LATENTS, 4)).toThrow(
      /found 65, expected at most 64/,
    );
  });
});
