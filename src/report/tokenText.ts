/** How tokens are put on a page, whichever page: clipped, with spaces seen, shaded by activation. It must not know of markup. */

/** Longest token text shown, in UTF-16 units. */
const LONGEST_TOKEN = 48;
/** Shades of highlight, weakest first, from 1. */
export const SHADES = 8;

export function clipped(token: string): string {
  return token.length > LONGEST_TOKEN ? `${token.slice(0, LONGEST_TOKEN)}…` : token;
}

/** A space at either end belongs to the token, so it is shown. */
export function spaced(token: string): string {
  return clipped(token).replace(/^ +| +$/g, (spaces) => '·'.repeat(spaces.length));
}

/** 0 where the latent is silent, else 1 to SHADES by its activation. */
export function shade(activation: number, strongest: number): number {
  if (!(activation > 0) || !(strongest > 0)) return 0;
  return Math.min(SHADES, Math.max(1, Math.ceil((SHADES * activation) / strongest)));
}

/** Whether more letters are of the right-to-left scripts than not. */
export function isRightToLeft(tokens: readonly string[]): boolean {
  const text = tokens.map(clipped).join('');
  const leftward = text.match(/[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/gu);
  return leftward !== null && leftward.length * 2 > (text.match(/\p{L}/gu)?.length ?? 0);
}

/** What a group of examples is called: the strongest, or a tenth of the activations, the first being that of the strongest. */
export function groupName(quantile: number): string {
  if (quantile < 0) return 'Strongest';
  const place = 10 - quantile;
  return `${place}${['th', 'st', 'nd', 'rd'][place] ?? 'th'} tenth`;
}
