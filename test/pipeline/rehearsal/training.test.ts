/** The training of a rehearsal, whose steps must be like those of the run that it stands for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knownSource } from '../../../src/activations/knownSource.ts';
import { familyOf } from '../../../src/dictionaries/families/index.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { DEAD_SHARE, rehearseTraining } from '../../../src/pipeline/rehearsal/training.ts';
import { Stopwatch, silent } from '../../../src/pipeline/reporter.ts';
import { parseConfig } from '../../../src/runs/config.ts';
import { orthogonalToy } from '../../../src/toy/orthogonal.ts';
import { totalSteps } from '../../../src/training/options.ts';
import { trainingOptions } from '../../../src/training/recipe.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'monosem-rehearsal-'));
});
afterAll(() => rm(dir, { recursive: true }));

it('ends within the schedules, with the latents dead that are taken to be', async () => {
  const backend = loadBackend();
  const latents = 200;
  const [batch, windowRows, steps] = [256, 1024, 20];
  const source = knownSource(backend, orthogonalToy(1), { firstBlock: 0, sequences: steps });
  const topk = familyOf('topk');
  const dictionary = topk.options.parse({ family: 'topk', latents, k: 8 });
  const options = trainingOptions(topk, dictionary, { tokens: steps * batch, batch, seed: 1 }, source.width);
  const input = [{ start: 0, end: source.width, scale: 0.3, mean: new Float64Array(source.width) }];
  const { state } = await rehearseTraining(
    { backend, reporter: silent, stopwatch: new Stopwatch() },
    parseConfig({ name: 'toy', dictionary: { latents, k: 8 } }),
    { options, input, validateEvery: 10 },
    { source, batch, windowRows, shuffleSeed: 1 },
    source.totalRows,
    dir,
  );
  expect(state.step).toBeLessThanOrEqual(totalSteps(options));
  // With a rate beyond its schedule, a second of steps on the same few batches would silence most latents.
  const dead = state.tokensSinceFired.filter((tokens) => tokens >= options.deadAfterTokens).length;
  expect(dead / latents).toBeGreaterThan(DEAD_SHARE / 2);
  expect(dead / latents).toBeLessThan(0.5);
});
