/**
 * The atlas of a run: what the explorer reads beside features and examples. Where each latent stands among the others, which
 * words its examples hold, and how many latents neurons serve. It must not know of terminals or pages.
 */
import { join } from 'node:path';
import type { Progress } from '../activations/source.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { InputError } from '../formats/errors.ts';
import { readParquetGroups } from '../formats/parquet.ts';
import { COMPANION_LEVEL } from '../interpretation/atlas/companions.ts';
import { directionsOf } from '../interpretation/atlas/directions.ts';
import { MAP } from '../interpretation/atlas/map.ts';
import { DIRECTION_EXAMPLES, observe } from '../interpretation/atlas/observe.ts';
import { SHARE_FLOOR } from '../interpretation/atlas/shares.ts';
import { WordIndex } from '../interpretation/atlas/wordIndex.ts';
import { writeAtlas, writeWords } from '../runs/atlas.ts';
import type { Atlas } from '../runs/atlasSchema.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, RUN_FILES, readRun, updateRun } from '../runs/directory.ts';
import { type Feature, isEvaluated } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { readFeatures } from '../runs/tables.ts';
import { LISTED, latentRows, placeLatents, serve, spreads } from './atlasTables.ts';
import { diskOf } from './disk.ts';
import { textsOf } from './explain.ts';
import { readLearned } from './learn.ts';
import { unreported } from './reporter.ts';
import { activationsOf, loadMaterial, type Material, type Workbench } from './subject.ts';

const LEVEL = 0.95;
/** The atlas in the times and memory of run.json. */
const ATLAS_PHASE = 'atlas';

/**
 * Makes the atlas of the run in `dir`, once more where it is there, and puts its time and its bytes into run.json. InputError where
 * the run's latents are not explained.
 */
export async function atlasRun(bench: Workbench, dir: string): Promise<Atlas> {
  const run = await readRun(dir);
  if (!isEvaluated(run) || !(await exists(join(dir, RUN_FILES.features))))
    throw new InputError(
      `${dir}: its latents are not explained yet; explain them first: monosem evaluate ${dir}`,
    );
  const material = await loadMaterial(bench, run.config);
  const atlas = await makeAtlas(bench, run.config, material, dir);
  const { timing, memory } = bench.stopwatch;
  const own = <T>(of: Readonly<Record<string, T>>) => ({ [ATLAS_PHASE]: of[ATLAS_PHASE] });
  const disk = await diskOf(dir, material, hooksOf([siteOf(run.config)]));
  await updateRun(dir, { timing: own(timing), memory: own(memory), disk });
  return atlas;
}

/** Makes the files of the atlas of an explained run, in the place of those that are there. */
export async function makeAtlas(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  dir: string,
): Promise<Atlas> {
  return unreported(bench.stopwatch, ATLAS_PHASE, async () => {
    const { seed } = config;
    const { dictionary, mean } = await readLearned(dir);
    const features = await featuresOf(dir, dictionary);
    const examples = await watched(bench, 'words', 'latents', (onProgress) =>
      indexWords(dir, greatestOf(features), onProgress),
    );
    const map = await watched(bench, 'map', 'epochs', (onProgress) =>
      placeLatents(bench.backend, dictionary, seed, onProgress),
    );
    const fires = (latent: number) => features[latent].firings > 0;
    const reason = whyNoDirections(config, dictionary);
    const directions =
      reason === undefined
        ? { ...directionsOf(dictionary.decoderWeight, dictionary.outputWidth, fires, seed), mean }
        : undefined;
    const observed = await watched(bench, 'held-out rows', 'sequences', (onProgress) =>
      observe({
        backend: bench.backend,
        dictionary,
        source: activationsOf(material, 'test', siteOf(config).inputs),
        greatest: greatestOf(features),
        directions,
        onProgress,
      }),
    );
    const rows = await watched(bench, 'companions', 'latents', (onProgress) =>
      latentRows(dictionary, observed, map, onProgress),
    );
    const served =
      directions && (await serve(bench.backend, dictionary, observed, directions, textsOf(material)));
    const summary: Atlas = {
      format: 1,
      seed,
      split: 'test',
      documents: observed.documents,
      tokens: observed.rows.rows,
      examples,
      level: LEVEL,
      parameters: {
        map: { ...MAP },
        listed: LISTED,
        companionLevel: COMPANION_LEVEL,
        shareFloor: SHARE_FLOOR,
        groups: observed.groups,
        directionExamples: DIRECTION_EXAMPLES,
      },
      effectiveNeurons: spreads(rows, dictionary, seed),
      directions: served ? served.summary : null,
      leftOut: reason === undefined ? [] : [{ part: 'directions', reason }],
    };
    await writeAtlas(dir, summary, { rows, directions: served });
    return summary;
  });
}

/** Does `work` under a progress bar, until a signal stops it. Its time is a part of the atlas's. */
async function watched<T>(
  { reporter, signal }: Workbench,
  name: string,
  unit: string,
  work: (onProgress: Progress) => Promise<T>,
): Promise<T> {
  const phase = reporter.begin(name, unit);
  try {
    return await work((done, total) => {
      signal?.throwIfAborted();
      phase.update(done, total);
    });
  } finally {
    phase.end();
  }
}

/** Why nothing can be said of the neurons; undefined where it can. */
export function whyNoDirections(config: RunConfig, { width, outputWidth }: Dictionary): string | undefined {
  const site = siteOf(config);
  if (!site.autoencoder) return 'a transcoder does not reconstruct the activations that it reads';
  if (site.inputs.length > 1)
    return 'a crosscoder reads several hook points, whose neurons are not the axes of one space';
  return width === outputWidth ? undefined : `its decoder is ${outputWidth} wide, the hook point ${width}`;
}

async function featuresOf(dir: string, { latents }: Dictionary): Promise<Feature[]> {
  const path = join(dir, RUN_FILES.features);
  const features = await readFeatures(dir);
  const expected = features?.length === latents && features.every(({ latent }, i) => latent === i);
  if (!expected)
    throw new InputError(
      `${path}: found ${features?.length ?? 0} rows, expected latents 0 to ${latents - 1} in order; ` +
        `explain the run again: monosem evaluate ${dir}`,
    );
  return features;
}

const EXAMPLE_COLUMNS = ['latent', 'tokens', 'activations'] as const;

/** Where the activations of each latent end. */
function greatestOf(features: readonly Feature[]): number[] {
  return features.map(({ maxActivation }) => maxActivation);
}

/**
 * Makes words.parquet of examples.parquet, a row group of which is in memory at a time; `greatest` is of each latent. Gives the
 * examples read. Progress is in latents.
 */
export async function indexWords(
  dir: string,
  greatest: readonly number[],
  onProgress?: Progress,
): Promise<number> {
  const path = join(dir, RUN_FILES.examples);
  const index = new WordIndex();
  let before = 0;
  for await (const group of readParquetGroups(path, { columns: [...EXAMPLE_COLUMNS] })) {
    const [latents, tokens, activations] = EXAMPLE_COLUMNS.map((name) => group.columns.get(name)!);
    for (let i = 0; i < group.rows; i++) {
      const most = greatest[latents[i]];
      if (most === undefined || latents[i] < before || !fit(tokens[i], activations[i]))
        throw new InputError(
          `${path}, row ${group.firstRow + i}: found latent ${latents[i]} after ${before}, expected those of ` +
            `${RUN_FILES.features} in order, each with as many tokens as activations; explain the run again: monosem evaluate ${dir}`,
        );
      index.add(latents[i], tokens[i], activations[i], most);
      before = latents[i];
    }
    onProgress?.(before + 1, greatest.length);
  }
  await writeWords(dir, index.groups());
  return index.examples;
}

/** Whether these are texts and as many numbers. */
function fit(tokens: unknown, activations: unknown): boolean {
  return (
    Array.isArray(tokens) &&
    tokens.every((token) => typeof token === 'string') &&
    (Array.isArray(activations) || activations instanceof Float32Array) &&
    activations.length === tokens.length
  );
}
