/**
 * What edits of latents do to the prediction of the next token, beside what moves of the same length in random directions
 * do at the same tokens.
 */
import { blockBefore } from '../evaluation/splice.ts';
import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';
import { quantile } from '../math/statistics.ts';
import { isResidual } from '../models/hooks.ts';
import { checkEdits, type LatentEdit } from './latentEdits.ts';
import { largest, probabilities } from './nextTokens.ts';
import { FINAL, promptTokens, SHOWN_TOKENS, type ShownToken } from './promptReading.ts';
import { movesOf, randomMoves, type Steered } from './steering.ts';

/** Random directions that an edit is held against. */
export const NULL_DRAWS = 20;

export interface EditEffect {
  /** The token after which is predicted; BOS is 0. */
  readonly position: number;
  /** Those of the largest probability before or after, with both. */
  readonly tokens: readonly (ShownToken & { readonly before: number; readonly after: number })[];
  /** `KL(before || after)`, in nats. */
  readonly kl: number;
  /** The same of each random direction, ascending; their median, and the middle nine tenths of them. */
  readonly null: {
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly draws: readonly number[];
  };
}

/** The effect of `edits` on what comes after the token at `position`, the last one where not given. */
export async function editEffect(
  steered: Steered,
  text: string,
  edits: readonly LatentEdit[],
  position?: number,
): Promise<EditEffect> {
  const { model, tokenizer, dictionary, seed } = steered;
  const all = promptTokens(steered, text);
  checkEdits(edits, dictionary.latents, all.length);
  const last = position ?? all.length - 1;
  if (!Number.isInteger(last) || last < 0 || last >= all.length)
    throw new InputError(
      `position: found ${last}, expected a token of the text, 0 (BOS) to ${all.length - 1}`,
    );
  // What comes later changes nothing here.
  const tokens = all.subarray(0, last + 1);
  const { clean, changed } = await finals(steered, tokens, edits, (moves) =>
    Array.from({ length: NULL_DRAWS }, (_, draw) =>
      randomMoves(moves, dictionary, new Random(seed, 'edit null', String(draw))),
    ),
  );
  const rows = changed.length / model.config.width;
  const repeated = repeat(clean, rows);
  const { kl } = await model.compare(repeated, changed, rows, new Int32Array(rows));
  const before = probabilities(await model.logits(clean, 1));
  const after = probabilities(await model.logits(changed.subarray(0, model.config.width), 1));
  const shown = largest(
    before.map((value, id) => Math.max(value, after[id])),
    SHOWN_TOKENS,
  );
  const draws = Array.from(kl.subarray(1), (value) => Math.max(0, value)).sort((a, b) => a - b);
  return {
    position: last,
    tokens: shown.map((id) => ({ id, text: tokenizer.text(id), before: before[id], after: after[id] })),
    // Rounding can bring a divergence of next to nothing below 0.
    kl: Math.max(0, kl[0]),
    null: {
      median: quantile(draws, 0.5),
      low: quantile(draws, 0.05),
      high: quantile(draws, 0.95),
      draws,
    },
  };
}

/**
 * `ln_final.hook_normalized` at the last token: as it is `[d]`, and changed `[1 + nulls, d]`, by the edits first and then by
 * each of the nulls. All that is changed runs through the model together.
 */
async function finals(
  { model, dictionary, input, output }: Steered,
  tokens: Int32Array,
  edits: readonly LatentEdit[],
  nullsOf: (moves: Awaited<ReturnType<typeof movesOf>>) => Float32Array[],
): Promise<{ clean: Float32Array; changed: Float32Array }> {
  const { backend, config } = model;
  const length = tokens.length;
  const before = isResidual(output) ? undefined : blockBefore([output]);
  const capture = [...new Set([input, output, FINAL, ...(before ? [before] : [])])];
  const captured = await model.run(tokens, { batch: 1, length, capture });
  const lastRows = (final: Float32Array, batch: number) => {
    const out = new Float32Array(batch * config.width);
    for (let b = 0; b < batch; b++) {
      const end = (b + 1) * length * config.width;
      out.set(final.subarray(end - config.width, end), b * config.width);
    }
    return out;
  };
  const clean = lastRows(captured.get(FINAL)!, 1);
  const activation = captured.get(output)!;
  const x = captured.get(input)!.subarray(dictionary.width);
  const moves = await movesOf(backend, dictionary, x, 1, edits);
  const variants = [moves.output, ...nullsOf(moves)];
  const batch = variants.length;
  const edited = repeat(activation, batch);
  variants.forEach((move, b) => {
    const own = edited.subarray(b * activation.length + dictionary.outputWidth, (b + 1) * activation.length);
    for (let i = 0; i < move.length; i++) own[i] += move[i];
  });
  const result = await model.run(repeat(tokens, batch), {
    batch,
    length,
    capture: [FINAL],
    ...(isResidual(output)
      ? { from: { hook: output, activation: edited } }
      : {
          edit: { [output]: (rows: Float32Array) => rows.set(edited) },
          ...(before && { from: { hook: before, activation: repeat(captured.get(before)!, batch) } }),
        }),
  });
  return { clean, changed: lastRows(result.get(FINAL)!, batch) };
}

function repeat<T extends Float32Array | Int32Array>(values: T, times: number): T {
  const out = new (values.constructor as new (length: number) => T)(times * values.length);
  for (let i = 0; i < times; i++) out.set(values, i * values.length);
  return out;
}
