/**
 * Whether the model uses what a latent stands for: how far its prediction moves when the latent's part is taken out of the
 * activation where it fires, and when it is put in where it does not, beside a random direction of the same length at the same
 * tokens. It must not know what else is known of a latent.
 *
 * In one run of the model, trials stand at tokens `SPACING` apart, each on a latent of its own, and each is measured at its own
 * token only: what a change does to later tokens is left out, and what it adds to their own trials falls on both sides of
 * the comparison.
 */
import { type Corpus, sequence } from '../../activations/corpus.ts';
import { type Dictionary, encode } from '../../dictionaries/dictionary.ts';
import type { SparseRows } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { studentInterval } from '../../math/student.ts';
import { hookWidth, isResidual } from '../../models/hooks.ts';
import type { Transformer } from '../../models/transformer.ts';
import { randomDirections } from '../../toy/directions.ts';
import { blockBefore } from '../splice.ts';
import type { Component } from './components.ts';

const BATCH = 16;
const SPACING = 16;
/** Runs of each sequence with changes, each with trials at other tokens. */
const ROUNDS = 4;
const FINAL = 'ln_final.hook_normalized';
/** Divergences below this, in nats, are rounding. */
const FLOOR = 1e-7;

export interface CausalEffects {
  /**
   * Mean over trials of `ln KL(model || latent changed) - ln KL(model || random direction)`: 0 where the model minds the latent
   * no more than any direction; NaN of fewer than two trials. `[latents]`
   */
  readonly ablated: Component;
  readonly added: Component;
  readonly trials: { readonly ablated: Uint32Array; readonly added: Uint32Array };
}

/** Of an autoencoder at `hook`, over `sequences` of the corpus; trials go to latents that have had the fewest. */
export async function causalEffects(request: {
  model: Transformer;
  hook: string;
  dictionary: Dictionary;
  corpus: Corpus;
  sequences: Uint32Array;
  seed: number;
  onProgress?: (done: number, total: number) => void;
}): Promise<CausalEffects> {
  const { dictionary, sequences, onProgress } = request;
  const { latents } = dictionary;
  const logRatios = { ablated: lists(latents), added: lists(latents) };
  const tally: Tally = { logRatios, strength: new Float64Array(latents).fill(NaN), next: 0 };
  const rows = unitRows(dictionary);
  for (let first = 0; first < sequences.length; first += BATCH) {
    await addBatch(request, rows, sequences.subarray(first, first + BATCH), tally);
    onProgress?.(Math.min(first + BATCH, sequences.length), sequences.length);
  }
  return {
    ablated: summary(logRatios.ablated),
    added: summary(logRatios.added),
    trials: {
      ablated: Uint32Array.from(logRatios.ablated, (list) => list.length),
      added: Uint32Array.from(logRatios.added, (list) => list.length),
    },
  };
}

type Kind = 'ablated' | 'added';

interface Tally {
  readonly logRatios: Record<Kind, number[][]>;
  /** Of each latent's last firing, along its unit decoder row; NaN before the first. */
  readonly strength: Float64Array;
  /** The latent whose turn it is to be added. */
  next: number;
}

/** A change of one row: `amount` along the latent's direction. */
interface Trial {
  readonly row: number;
  readonly latent: number;
  readonly amount: number;
}

async function addBatch(
  { model, hook, dictionary, corpus, seed }: Parameters<typeof causalEffects>[0],
  { directions, lengths }: ReturnType<typeof unitRows>,
  chosen: Uint32Array,
  tally: Tally,
): Promise<void> {
  const { backend, config } = model;
  const width = hookWidth(config, hook);
  const texts = Array.from(chosen, (s) => sequence(corpus, s));
  const length = Math.max(...texts.map((text) => text.length));
  const tokens = new Int32Array(texts.length * length);
  texts.forEach((text, b) => {
    tokens.set(text, b * length);
  });
  const shape = { batch: texts.length, length };
  const before = blockBefore([hook]);
  const clean = await model.run(tokens, { ...shape, capture: [hook, FINAL, ...(before ? [before] : [])] });
  const [activation, final] = [clean.get(hook)!, clean.get(FINAL)!];
  const codes = await encode(backend, dictionary, activation, texts.length * length);
  const random = new Random(seed, 'causal', String(chosen[0]));
  // What comes before the change is not computed again.
  const start = isResidual(hook) ? hook : before;
  const from = start === undefined ? undefined : { hook: start, activation: clean.get(start)! };

  const effects = async (trials: readonly Trial[], directionOf: (trial: Trial) => Float32Array) => {
    const edit = (rows: Float32Array) => {
      for (const trial of trials) {
        const direction = directionOf(trial);
        for (let c = 0; c < width; c++) rows[trial.row * width + c] += trial.amount * direction[c];
      }
    };
    const changed = await model.run(tokens, { ...shape, capture: [FINAL], edit: { [hook]: edit }, from });
    const at = (of: Float32Array) => rowsAt(of, trials, config.width);
    const targets = new Int32Array(trials.length);
    return (await model.compare(at(final), at(changed.get(FINAL)!), trials.length, targets)).kl;
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ['ablated', 'added'] as const) {
      const trials = trialsOf(kind, { texts, length, round, codes, lengths, tally });
      if (trials.length === 0) continue;
      const other = new Map(trials.map((trial) => [trial, randomDirections(1, width, random)]));
      const [own, control] = await Promise.all([
        effects(trials, ({ latent }) => directions.subarray(latent * width, (latent + 1) * width)),
        effects(trials, (trial) => other.get(trial)!),
      ]);
      trials.forEach(({ latent }, i) => {
        tally.logRatios[kind][latent].push(Math.log(Math.max(FLOOR, own[i]) / Math.max(FLOOR, control[i])));
      });
    }
  }
}

/**
 * A trial every `SPACING` tokens after the first: where latents are to be ablated, of those that fire the one with the fewest
 * trials; where one is to be added, in turns one that has been seen to fire and does not here, with the strength of its last firing.
 */
function trialsOf(
  kind: Kind,
  of: {
    texts: readonly Int32Array[];
    length: number;
    round: number;
    codes: SparseRows;
    lengths: Float64Array;
    tally: Tally;
  },
): Trial[] {
  const { texts, length, round, codes, lengths, tally } = of;
  const { strength } = tally;
  const trials: Trial[] = [];
  const tried = new Set<number>();
  const offset = 1 + Math.floor((round * SPACING) / ROUNDS);
  for (const [b, text] of texts.entries()) {
    for (let t = offset; t < text.length; t += SPACING) {
      const row = b * length + t;
      const [from, end] = [codes.offsets[row], codes.offsets[row + 1]];
      const firing = codes.indices.subarray(from, end);
      for (let e = from; e < end; e++)
        strength[codes.indices[e]] = codes.values[e] * lengths[codes.indices[e]];
      const latent =
        kind === 'ablated'
          ? leastTried(firing, tally.logRatios[kind], tried)
          : nextSilent(tally, new Set(firing), tried);
      if (latent < 0) continue;
      tried.add(latent);
      trials.push({ row, latent, amount: kind === 'ablated' ? -strength[latent] : strength[latent] });
    }
  }
  return trials;
}

/** Of some latents the one with the fewest trials, the first of equals; -1 where all have one in this run. */
function leastTried(latents: Uint32Array, taken: readonly number[][], tried: ReadonlySet<number>): number {
  let least = -1;
  for (const latent of latents)
    if (!tried.has(latent) && (least < 0 || taken[latent].length < taken[least].length)) least = latent;
  return least;
}

/** In turns, the next latent that has fired before and does not here; -1 where there is none. */
function nextSilent(tally: Tally, firing: ReadonlySet<number>, tried: ReadonlySet<number>): number {
  const { strength } = tally;
  for (let looked = 0; looked < strength.length; looked++) {
    const latent = tally.next;
    tally.next = (latent + 1) % strength.length;
    if (!Number.isNaN(strength[latent]) && !firing.has(latent) && !tried.has(latent)) return latent;
  }
  return -1;
}

function unitRows({ decoderWeight, latents, outputWidth: width }: Dictionary) {
  const lengths = new Float64Array(latents);
  const directions = decoderWeight.slice();
  for (let j = 0; j < latents; j++) {
    const row = directions.subarray(j * width, (j + 1) * width);
    lengths[j] = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (lengths[j] > 0) for (let c = 0; c < width; c++) row[c] /= lengths[j];
  }
  return { directions, lengths };
}

function rowsAt(activation: Float32Array, trials: readonly Trial[], width: number): Float32Array {
  const out = new Float32Array(trials.length * width);
  trials.forEach(({ row }, i) => {
    out.set(activation.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}

const lists = (count: number): number[][] => Array.from({ length: count }, () => []);

function summary(logRatios: readonly number[][]): Component {
  const all = logRatios.map((list) =>
    list.length < 2 ? { value: NaN, low: NaN, high: NaN } : studentInterval(list),
  );
  return {
    value: Float64Array.from(all, ({ value }) => value),
    low: Float64Array.from(all, ({ low }) => low),
    high: Float64Array.from(all, ({ high }) => high),
  };
}
