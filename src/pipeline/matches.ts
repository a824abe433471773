/** Two runs of one site side by side: which latents of the second are those of the first. It must not know of terminals or pages. */
import { CHANCE, type Matching, matchDecoders } from '../evaluation/matching.ts';
import { InputError } from '../formats/errors.ts';
import { readRun } from '../runs/directory.ts';
import { readMatches, writeMatches } from '../runs/matches.ts';
import type { Match, StoredComparison } from '../runs/matchesSchema.ts';
import { type Run, storedInterval } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { readLearned } from './learn.ts';
import type { Workbench } from './subject.ts';

const LEVEL = 0.95;

/**
 * Matches the latents of the run in `dir` with those of the run in `otherDir`, and keeps the matches in `dir`, in the place of those
 * with the same run that are there. InputError where the two do not look at the same place of the same model.
 */
export async function matchRuns(
  { backend, reporter, stopwatch }: Workbench,
  dir: string,
  otherDir: string,
): Promise<StoredComparison> {
  const [run, other] = [await readRun(dir), await readRun(otherDir)];
  refuseDifferent(dir, run, otherDir, other);
  const [own, others] = [(await readLearned(dir)).dictionary, (await readLearned(otherDir)).dictionary];
  if (own.outputWidth !== others.outputWidth)
    throw new InputError(
      `${otherDir}: its decoder is ${others.outputWidth} wide, that of ${dir} ${own.outputWidth}; only decoders of one space can be matched`,
    );
  const matching = await stopwatch.phase(reporter, 'matches', 'latents', () =>
    matchDecoders(backend, own.decoderWeight, others.decoderWeight, own.outputWidth, run.seed),
  );
  const comparison = stored(other, others.latents, matching);
  const before = await readMatches(dir);
  const kept = (before?.matches.comparisons ?? []).flatMap((one, place) =>
    one.name === other.name && one.created === other.created ? [] : [{ one, place }],
  );
  const rows = kept.flatMap(({ place }, comparison) =>
    before!.rows.filter((row) => row.comparison === place).map((row) => ({ ...row, comparison })),
  );
  await writeMatches(
    dir,
    { format: 1, seed: run.seed, level: LEVEL, comparisons: [...kept.map(({ one }) => one), comparison] },
    [...rows, ...rowsOf(matching, kept.length)],
  );
  return comparison;
}

function refuseDifferent(dir: string, run: Run, otherDir: string, other: Run): void {
  const [site, otherSite] = [siteName(run.config), siteName(other.config)];
  if (site !== otherSite)
    throw new InputError(
      `${otherDir}: it is of ${otherSite}, ${dir} of ${site}; only runs of one site can be matched`,
    );
  const source = ({ model, file }: Run) => model?.sha256 ?? file?.sha256;
  if (source(run) !== source(other))
    throw new InputError(
      `${otherDir}: it is of another model or file than ${dir}: SHA-256 ${source(other)}, expected ${source(run)}`,
    );
}

function stored(
  { name, created }: Run,
  latents: number,
  { threshold, own, nulls }: Matching,
): StoredComparison {
  const summary = ({ matched, cosine }: Matching['own']) => ({
    matched: storedInterval(matched),
    cosine: storedInterval(cosine),
  });
  return {
    name,
    created,
    latents,
    threshold,
    chance: CHANCE,
    ...summary(own),
    nulls: nulls.map((one) => ({ name: one.name, ...summary(one) })),
  };
}

function rowsOf({ matches: { other, cosine, mutual } }: Matching, comparison: number): Match[] {
  return Array.from(other, (found, latent) => ({
    comparison,
    latent,
    other: found,
    cosine: cosine[latent],
    mutual: mutual[latent] === 1,
  }));
}
