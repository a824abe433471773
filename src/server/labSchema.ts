/**
 * What is asked of the prompt lab and what it answers, as JSON. The page in the browser checks answers by the same schemas, so
 * there is nothing of Node here. It must not know how anything is computed.
 */
import * as z from 'zod';

const count = z.int().nonnegative();
const place = {
  latent: count,
  /** Token positions at which it is made, BOS being 0; all but BOS, also of text yet to be written, where absent. */
  positions: z.array(count).optional(),
};

/** Of the activation a of one latent it makes 0, `value a`, `a + value` or `value`. */
export const editSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ablate'), ...place }),
  z.strictObject({ kind: z.enum(['scale', 'add', 'set']), value: z.number(), ...place }),
]);

const asked = {
  /** The run's place below the directory, with `/`. */
  run: z.string().min(1),
  text: z.string(),
};
const edits = z.array(editSchema);

export const readRequest = z.strictObject(asked);
export const effectRequest = z.strictObject({
  ...asked,
  edits,
  /** The token after which is predicted; the last one where absent. */
  position: count.optional(),
});
export const continueRequest = z.strictObject({
  ...asked,
  edits,
  /** To be written at most. */
  tokens: z.int().positive(),
  temperature: z.number().nonnegative(),
  seed: z.int(),
});

const probability = z.number().min(0).max(1);
const token = z.object({ id: count, text: z.string() });
/** Never changed by who reads them. */
const list = <S extends z.ZodType>(of: S) => z.array(of).readonly();
const divergence = z.number().nonnegative();

export const readAnswer = z.object({
  tokens: list(
    token.extend({
      active: count,
      total: z.number().nonnegative(),
      latents: list(z.object({ latent: count, activation: z.number() })),
      fvu: z.number().nonnegative().nullable(),
    }),
  ),
  next: list(token.extend({ probability })),
});

export const effectAnswer = z.object({
  position: count,
  tokens: list(token.extend({ before: probability, after: probability })),
  /** `KL(before || after)`, in nats. */
  kl: divergence,
  /** The same of random directions as long, at the same tokens: all of them, their median and the middle nine tenths. */
  null: z.object({ median: divergence, low: divergence, high: divergence, draws: list(divergence) }),
});

const continuation = z.object({ tokens: list(token), text: z.string(), ended: z.boolean() });
export const continueAnswer = z.object({ plain: continuation, steered: continuation });

export type Edit = z.output<typeof editSchema>;
export type ReadAnswer = z.output<typeof readAnswer>;
export type EffectAnswer = z.output<typeof effectAnswer>;
export type ContinueAnswer = z.output<typeof continueAnswer>;
