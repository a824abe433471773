/** How the lab puts numbers into sight: the heat of tokens, bars, and a divergence beside those of random directions. */
import { visible } from '../../../src/report/html.ts';
import { decimal } from '../../../src/report/numbers.ts';
import type { EffectAnswer, ReadAnswer } from '../../../src/server/labSchema.ts';

/** Each token's total activation as a share of the largest, 0 where nothing fires. */
export function heats(tokens: ReadAnswer['tokens']): number[] {
  const most = Math.max(0, ...tokens.map(({ total }) => total));
  return tokens.map(({ total }) => (most > 0 ? total / most : 0));
}

/** A token's text with nothing in it unseen: a space at its ends, which belongs to it, as `·`. */
export function tokenText(text: string): string {
  return visible(text).replace(/^ | $/g, '·') || '∅';
}

/** Text to be read, its line breaks kept and nothing else in it unseen. */
export function proseText(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** What the divergence says beside its null, in a sentence. */
export function divergenceText({ kl, null: nothing }: EffectAnswer): string {
  const { draws } = nothing;
  if (kl === 0 && nothing.high === 0)
    return 'The edits change no activation here, so the prediction is the same to the last bit.';
  const below = draws.filter((draw) => draw < kl).length;
  const than =
    below === draws.length
      ? `more than all ${draws.length} random directions`
      : `more than ${below} of ${draws.length} random directions`;
  return `The prediction moves by ${nats(kl)} nats, ${than} of the same length at the same tokens.`;
}

export function nats(value: number): string {
  return decimal(value, 3);
}

/** Places from 0 to 1 on a line from nothing to the largest of the divergences: the edits' own, and those of the draws. */
export function divergencePlaces({ kl, null: { draws } }: EffectAnswer): { own: number; draws: number[] } {
  const most = Math.max(kl, ...draws);
  const at = (value: number) => (most > 0 ? value / most : 0);
  return { own: at(kl), draws: draws.map(at) };
}

export interface ProbabilityRow {
  readonly id: number;
  readonly text: string;
  readonly before: number;
  readonly after: number | undefined;
}

/** The tokens to show: what the edits do to them where there are edits, else what comes next as it is. */
export function probabilityRows(reading: ReadAnswer, effect: EffectAnswer | undefined): ProbabilityRow[] {
  if (effect !== undefined) return effect.tokens.map((token) => ({ ...token }));
  return reading.next.map(({ probability, ...token }) => ({
    ...token,
    before: probability,
    after: undefined,
  }));
}

/** How many tokens at the beginning of two texts are the same. */
export function inCommon(a: readonly { id: number }[], b: readonly { id: number }[]): number {
  const differs = a.findIndex(({ id }, i) => id !== b[i]?.id);
  return differs < 0 ? a.length : differs;
}
