/**
 * The nulls of a run: which of them it has, where they are kept, what those are told that are trained beside the dictionary,
 * and how those without training are made. It must not know what is measured of them.
 */
import { join } from 'node:path';
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import { familyOf } from '../dictionaries/families/index.ts';
import {
  FIT_SEQUENCES,
  type Null,
  type NullName,
  type NullTraining,
  nullsNamed,
} from '../evaluation/nulls/index.ts';
import { Random } from '../math/random.ts';
import type { RunConfig } from '../runs/config.ts';
import { siteOf } from '../runs/site.ts';
import type { Learned, Lesson } from './learn.ts';
import { activationsOf, type Material, type Workbench } from './subject.ts';

type Making<K extends Null['making']['kind']> = Null & { readonly making: { readonly kind: K } };

/** Where a null lives in a run directory. */
export function nullDirectory(dir: string, name: NullName): string {
  return join(dir, 'nulls', name);
}

/**
 * The nulls that a run asks for and can have. Directions at a transcoder's two ends have nothing to do with each other, so
 * those made without training would be too weak for it; a file of activations has no model to be re-initialised.
 */
export function nullsOf(config: RunConfig): Null[] {
  const { autoencoder } = siteOf(config);
  const { tied } = familyOf(config.dictionary.family);
  return nullsNamed(config.evaluation.nulls).filter(({ making, needsEncoder }) => {
    if (needsEncoder && tied) return false;
    if (making.kind === 'made') return autoencoder;
    return making.kind !== 'reinitialised' || config.activations === undefined;
  });
}

/** Those of a run that are of one kind. */
export function nullsOfKind<K extends Null['making']['kind']>(config: RunConfig, kind: K): Making<K>[] {
  return nullsOf(config).filter((one): one is Making<K> => one.making.kind === kind);
}

/** What is trained beside the dictionary of the run in `dir`, on the same rows. */
export function nullLessons(config: RunConfig, dir: string, resume: boolean): Lesson[] {
  return nullsOfKind(config, 'trained').map(({ name, making: { training } }) => ({
    config: nullConfig(config, name, training),
    dir: nullDirectory(dir, name),
    resume,
    asNull: { name, training },
  }));
}

/**
 * The configuration of a trained null. Its weights are drawn from a seed of its own, since a null that starts where the
 * dictionary does would be like it for that alone; and what is frozen cannot be resampled.
 */
function nullConfig(config: RunConfig, name: NullName, { freeze }: NullTraining): RunConfig {
  const seed = new Random(config.seed, 'null', name).uint32();
  const training = freeze ? { ...config.training, resampleAt: [] } : config.training;
  return { ...config, seed, training };
}

/** Dictionaries by keys, and for each run which key is its null of which name. */
export interface MadeNulls {
  readonly dictionaries: Record<string, Dictionary>;
  readonly keys: Partial<Record<NullName, string>>[];
}

/** The nulls without training of some runs of one site. Runs that would have the same one share it. */
export async function madeNulls(
  { backend }: Workbench,
  material: Material,
  runs: readonly ({ readonly config: RunConfig } & Learned)[],
): Promise<MadeNulls> {
  const dictionaries: Record<string, Dictionary> = {};
  const keys: MadeNulls['keys'] = runs.map(() => ({}));
  const wanted = runs.map(({ config }) => nullsOfKind(config, 'made'));
  const sequences = wanted.flat().map(({ making }) => making.sequences);
  if (sequences.length === 0) return { dictionaries, keys };
  const source = activationsOf(material, 'train', siteOf(runs[0].config).inputs);
  const all = [...Array(Math.min(Math.max(FIT_SEQUENCES, ...sequences), source.sequences)).keys()];
  const { activations } = await source.read(all);
  const sample = (count: number) => {
    const rows = all.slice(0, count).reduce((sum, s) => sum + source.rowsOf(s), 0);
    return { rows, x: activations.subarray(0, rows * source.width) };
  };
  const fitted = sample(FIT_SEQUENCES);
  for (const [i, { config, dictionary, mean }] of runs.entries()) {
    if (wanted[i].length === 0) continue;
    const { values } = await encode(backend, dictionary, fitted.x, fitted.rows);
    const k = Math.max(1, Math.round(values.length / fitted.rows));
    const { seed } = config;
    for (const { name, making } of wanted[i]) {
      const ofWeights = making.ofWeights ? i : undefined;
      const key = `${name} ${JSON.stringify({ latents: dictionary.latents, k, seed, ofWeights })}`;
      const subject = { backend, dictionary, k, seed, mean, ...sample(making.sequences) };
      dictionaries[key] ??= await making.make(subject);
      keys[i][name] = key;
    }
  }
  return { dictionaries, keys };
}
