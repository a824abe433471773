/**
 * The coefficients at which penalised families let as many latents fire as are true: looked for in a world of its own, by
 * L0 alone. It must not know how well a dictionary does.
 */
import { coefficientOf } from './lessons.mjs';
import { trainAndScore, worldOf } from './world.mjs';

const SEED = 100;
/** Times the default. */
const FIRST = [1 / 16, 1 / 4, 1, 4, 16];
const REFINEMENTS = 1;

/**
 * All families take their trials at the same time, on the same samples: five powers of four first, then the
 * coefficient that a straight line through the two that enclose `l0` says, in the logarithms. The nearest is taken.
 * @param {import('../../src/kernels/backend.ts').Backend} backend
 * @param {import('../../src/dictionaries/families/family.ts').Family[]} families
 * @param {ReturnType<typeof import('./store.mjs').openStore>} store
 * @param {{ steps: number, latents: number, l0: number }} wanted
 */
export async function searchCoefficients(backend, families, store, { steps, latents, l0 }) {
  const world = await worldOf(backend, SEED, steps);
  /** @type {{ coefficient: number, l0: number }[][]} */
  const tried = families.map(() => []);
  for (let round = 0; round <= REFINEMENTS; round++) {
    const trials = families.flatMap((family, i) =>
      (round === 0
        ? FIRST.map((factor) => factor * coefficientOf(family))
        : [between(tried[i], l0)].filter((coefficient) => coefficient !== undefined)
      ).map((coefficient) => ({ i, family, kind: 'autoencoder', dictionary: { latents, coefficient } })),
    );
    if (trials.length === 0) break;
    const scores = await trainAndScore(backend, world, trials, store, () => {});
    for (const [t, { i, dictionary }] of trials.entries())
      tried[i].push({ coefficient: dictionary.coefficient, l0: scores[t].l0 });
    for (const [i, { name }] of families.entries())
      process.stderr.write(`${name} ${JSON.stringify(tried[i])}\n`);
  }
  const distance = (/** @type {{ l0: number }} */ trial) => Math.abs(trial.l0 - l0);
  return Object.fromEntries(
    families.map(({ name }, i) => [name, tried[i].toSorted((a, b) => distance(a) - distance(b))[0]]),
  );
}

/** @param {{ coefficient: number, l0: number }[]} tried @param {number} l0 @returns {number | undefined} */
function between(tried, l0) {
  const ascending = tried.toSorted((a, b) => a.coefficient - b.coefficient);
  const at = ascending.findIndex((low, i) => low.l0 >= l0 && ascending[i + 1]?.l0 < l0);
  if (at < 0) return undefined;
  const [low, high] = [ascending[at], ascending[at + 1]];
  // Nothing that fires has no logarithm; and a step towards the middle keeps a bent line from creeping along one end.
  const [above, below] = [Math.log(low.l0 / l0), Math.log(l0 / Math.max(high.l0, l0 / 10))];
  const share = Math.min(0.85, Math.max(0.15, above / (above + below)));
  return low.coefficient * (high.coefficient / low.coefficient) ** share;
}
