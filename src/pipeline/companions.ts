/**
 * The dictionaries that evidence is gathered with: trained beside each other in one pass over the activations of the run that is
 * judged, and kept in its directory. It must not know what is concluded from them.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { companionsOf } from '../evaluation/evidence/companions.ts';
import { Random } from '../math/random.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, RUN_FILES } from '../runs/directory.ts';
import { learn, readLearned } from './learn.ts';
import type { Material, Workbench } from './subject.ts';

export type CompanionRole = 'seeds' | 'widths' | 'sparsities';
export type CompanionDictionaries = Readonly<Record<CompanionRole, readonly Dictionary[]>>;

interface Companion {
  readonly role: CompanionRole;
  readonly dir: string;
  readonly config: RunConfig;
}

/**
 * Trains the companions of the dictionary in `dir`, those that are not there yet, on the rows that it was trained on, and
 * reads all of them. Undefined where the signal stopped it; what was trained so far is gone on with by the next call.
 */
export async function trainCompanions(
  bench: Workbench,
  config: RunConfig,
  dir: string,
  material: Material,
  phase: string,
): Promise<CompanionDictionaries | undefined> {
  const companions = companionsIn(config, dir);
  const missing: Companion[] = [];
  for (const one of companions) if (!(await exists(join(one.dir, RUN_FILES.dictionary)))) missing.push(one);
  if (missing.length > 0) {
    const lessons = missing.map((one) => ({ ...one, resume: true }));
    const results = await learn(bench, lessons, material, { phase });
    if (results.some(({ end }) => end === 'interrupted')) return undefined;
  }
  const dictionaries: Record<CompanionRole, Dictionary[]> = { seeds: [], widths: [], sparsities: [] };
  for (const { role, dir: own } of companions) {
    // A companion is small beside what its training could go on from, and is not trained on.
    await rm(join(own, RUN_FILES.checkpoints), { recursive: true, force: true });
    dictionaries[role].push((await readLearned(own)).dictionary);
  }
  return dictionaries;
}

/** Each with weights from a seed of its own; `shuffleSeed` stays, so that all read one stream. */
function companionsIn(config: RunConfig, dir: string): Companion[] {
  const told = companionsOf(config.dictionary);
  return (['seeds', 'widths', 'sparsities'] as const).flatMap((role) =>
    told[role].map((dictionary, i) => {
      const name = `${role}-${i + 1}`;
      const seed = new Random(config.seed, 'companion', name).uint32();
      const { training } = config;
      // What was decided for the run's own k is no start for another.
      const kStart = 'k' in dictionary ? dictionary.k : training.kStart;
      return {
        role,
        dir: join(dir, 'companions', name),
        config: { ...config, name, seed, dictionary, training: { ...training, kStart } },
      };
    }),
  );
}
