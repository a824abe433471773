/** The atlas, in a rehearsal: the map of a part of the latents, some held-out sequences, and the tables of these. */
import { join } from 'node:path';
import { sequencesOf } from '../../activations/parts.ts';
import { bytesAt } from '../../formats/size.ts';
import { directionsOf } from '../../interpretation/atlas/directions.ts';
import { MOST_ROWS, observe } from '../../interpretation/atlas/observe.ts';
import { writeTables } from '../../runs/atlas.ts';
import type { RunConfig } from '../../runs/config.ts';
import { RUN_FILES } from '../../runs/directory.ts';
import { siteOf } from '../../runs/site.ts';
import { whyNoDirections } from '../atlas.ts';
import { latentRows, placeLatents, serve } from '../atlasTables.ts';
import { timed } from '../clock.ts';
import { textsOf } from '../explain.ts';
import { activationsOf, type Subject, type Workbench } from '../subject.ts';
import type { Meter } from './meter.ts';
import type { Trained } from './results.ts';

/** Latents that are mapped, and sequences that are read. */
const MAPPED = 1024;
const SEQUENCES = 16;

/** All of the atlas but its words, in `dir`. Gives the bytes of its tables. */
export async function rehearseAtlas(
  { backend }: Workbench,
  config: RunConfig,
  subject: Subject,
  { dictionary, mean }: Pick<Trained, 'dictionary' | 'mean'>,
  dir: string,
  meter: Meter,
): Promise<number> {
  const { decoderWeight, outputWidth: width, latents } = dictionary;
  const { seed } = config;
  const mapped = Math.min(MAPPED, latents);
  const some = { ...dictionary, latents: mapped, decoderWeight: decoderWeight.slice(0, mapped * width) };
  const { result: map, ...mapping } = await timed(() => placeLatents(backend, some, seed));
  meter.add('atlas', mapping, latents / mapped);
  const directions =
    whyNoDirections(config, dictionary) === undefined
      ? { ...directionsOf(decoderWeight, width, () => true, seed), mean }
      : undefined;
  const test = activationsOf(subject, 'test', siteOf(config).inputs);
  const first = Uint32Array.from({ length: Math.min(SEQUENCES, test.sequences) }, (_, s) => s);
  const source = sequencesOf(test, first);
  const greatest = new Float32Array(latents).fill(1);
  const { result: observed, ...observing } = await timed(() =>
    observe({ backend, dictionary, source, greatest, directions }),
  );
  const rows = Math.min(MOST_ROWS, test.totalRows) / source.totalRows;
  meter.add('atlas', observing, rows);
  // Firings in common take most of the time, and grow with the rows.
  const { result: table, ...counting } = await timed(() => latentRows(dictionary, observed, map));
  meter.add('atlas', counting, rows);
  await meter.measure('atlas', 1, async () => {
    const served = directions && (await serve(backend, dictionary, observed, directions, textsOf(subject)));
    await writeTables(dir, { rows: table, directions: served });
  });
  const files = [RUN_FILES.latentAtlas, RUN_FILES.directions, RUN_FILES.directionExamples];
  const bytes = await Promise.all(files.map((file) => bytesAt(join(dir, file))));
  return bytes.reduce((sum, one) => sum + one, 0);
}
