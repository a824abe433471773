import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rewriteInAtoms } from '../../../src/evaluation/composition/rewrite.ts';
import { unexplained } from '../../../src/evaluation/unexplained.ts';
import { analyse, backend, type HandMade, handMade, pairedGroups, WIDTH } from './handmade.ts';

async function rewritten(made: HandMade) {
  const graph = await analyse(made);
  const rewriting = await rewriteInAtoms(backend, made.dictionary, graph);
  const codes = rewriting.rewrite(made.codes);
  const out = new Float32Array(made.x.length);
  await backend.decode({ codes, weight: rewriting.decoderWeight, width: WIDTH, out });
  return { graph, rewriting, codes, lost: unexplained(out, made.x, WIDTH) };
}

describe('rewriting in atoms', () => {
  test('loses nothing where compositions are exact, and only atoms are left', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.uniqueArray(fc.tuple(fc.nat(3), fc.nat(3)), { selector: String, minLength: 2, maxLength: 8 }),
        fc.array(fc.double({ min: 0.2, max: 3, noNaN: true }), { minLength: 16, maxLength: 16 }),
        async (seed, pairs, scales) => {
          const { decoder, codes } = pairedGroups(4, pairs, 0.4, 2400, seed);
          // An atom is not left to fire for one pair alone, which would make it composed. Rows need not be of unit length.
          const rows = decoder.map((row, j) => row.map((value) => scales[j] * value));
          const scaled = codes.map((row) =>
            row.map(([j, value]): [number, number] => [j, value / scales[j]]),
          );
          const { rewriting, codes: after, lost } = await rewritten(await handMade(rows, scaled));
          expect(lost).toBeLessThan(1e-9);
          expect(rewriting.replaced).toEqual(pairs.map((_, p) => 8 + p));
          expect([...rewriting.from]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
          after.values.forEach((value) => {
            expect(value).toBeGreaterThan(0);
          });
        },
      ),
      { numRuns: 5, endOnFailure: true },
    );
  });

  test('adds atoms that no latent stands for, fewer than the latents that they replace', async () => {
    const all = Array.from({ length: 25 }, (_, p) => [Math.floor(p / 5), p % 5] as const);
    const { decoder, codes } = pairedGroups(5, all, 1, 1500);
    const only = codes.map((row) => row.map(([j, value]): [number, number] => [j - 10, value]));
    const { rewriting, lost } = await rewritten(await handMade(decoder.slice(10), only));
    expect(rewriting.latents).toBeLessThan(18);
    expect(lost).toBeLessThan(0.02);
  });

  test('leaves a dictionary without compositions as it is', async () => {
    const { decoder, codes } = pairedGroups(4, [], 0.6, 800);
    const made = await handMade(decoder, codes);
    const { rewriting, codes: after } = await rewritten(made);
    expect(rewriting.replaced).toEqual([]);
    expect(rewriting.decoderWeight).toEqual(made.dictionary.decoderWeight);
    expect(after).toEqual(made.codes);
  });
});
