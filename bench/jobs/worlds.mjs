/**
 * Samples a second that a world with known features is drawn at, with their labels, as a training takes them: in portions of
 * as many as its window.
 */
import { loadBackend } from '../../dist/kernels/index.js';
import { namedDistribution } from '../../dist/toy/named.js';
import { median, timeRuns } from '../measuring.mjs';

/** @param {{ name: string, rows: number, quick: boolean }} spec */
export async function measure({ name, rows, quick }) {
  const backend = loadBackend();
  const start = performance.now();
  const world = await namedDistribution(backend, name, 42);
  const seconds = (performance.now() - start) / 1000;
  let first = 0;
  const draw = async () => {
    await world.draw(backend, first, rows);
    first += rows;
  };
  const times = await timeRuns(draw, { least: quick ? 3 : 10, seconds: quick ? 1 : 5 });
  const { features, width, expectedL0 } = world;
  return {
    features,
    width,
    expectedL0,
    seconds,
    samplesPerSecond: (1000 * rows) / median(times),
    runs: times.length,
  };
}
