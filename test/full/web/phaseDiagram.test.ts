/** The phase diagram of the playground: 936 models trained by jax-js, beside what theory says of each cell. */
import { expect, it } from 'vitest';
import { runPhase } from '../../../web/src/playground/gridRun.ts';
import { loadJax } from '../../../web/src/playground/jax.ts';
import { CELLS, predicted, type Strategy } from '../../../web/src/playground/phase.ts';

it('models do as theory has it in the cells of the phase diagram', async () => {
  let result: Strategy[] | undefined;
  await runPhase(await loadJax('wasm'), 1, {
    pause: async () => {},
    signal: new AbortController().signal,
    report: (progress) => {
      result = progress.result;
    },
  });
  const agreeing = result!.filter((strategy, c) => strategy === predicted(CELLS[c])).length;
  expect(agreeing / CELLS.length).toBeGreaterThan(0.95);
});
