/**
 * Successive halving: at a rung, arms that another one beats may stop early (Jamieson and Talwalkar, "Non-stochastic best
 * arm identification and hyperparameter optimization", AISTATS 2016). There is no one number to beat here, since
 * reconstruction, sparsity and size trade off, so only arms that lose in all three at once may stop: whatever is on the
 * front goes on. It must not know how arms are trained.
 */

/** An arm at a rung. */
export interface Contender {
  /** Only arms of one kind are compared: one site, in one unit, with as many steps to take. */
  readonly kind: string;
  /** The same for arms that differ in their seed alone, which never stop each other. */
  readonly recipe: string;
  readonly latents: number;
  /** Latents that fire on a token, on the validation rows. */
  readonly l0: number;
  /** Fraction of variance unexplained, on the validation rows. */
  readonly fvu: number;
}

export interface Verdict {
  /** Places among the contenders: who stops, and who beats it by most. */
  readonly loser: number;
  readonly winner: number;
}

/**
 * Who stops at a rung: of the contenders that another dominates (FVU lower by more than `margin`, L0 and latents not
 * larger), those that are beaten by most, and no more than the share `1 - keep` of all. Ties go to the earlier place.
 */
export function stopsAtRung(
  contenders: readonly Contender[],
  { keep, margin }: { keep: number; margin: number },
): Verdict[] {
  // A share such as 1 - 0.9 is a little off in binary, and must not cost an arm.
  const most = Math.floor((1 - keep) * contenders.length + 1e-9);
  return contenders
    .flatMap((loser, i) => {
      const winners = contenders.flatMap((winner, j) => (dominates(winner, loser, margin) ? [j] : []));
      if (winners.length === 0) return [];
      const winner = winners.reduce((a, b) => (contenders[b].fvu < contenders[a].fvu ? b : a));
      return [{ loser: i, winner, gap: loser.fvu - contenders[winner].fvu }];
    })
    .sort((a, b) => b.gap - a.gap || a.loser - b.loser)
    .slice(0, most)
    .map(({ loser, winner }) => ({ loser, winner }));
}

function dominates(winner: Contender, loser: Contender, margin: number): boolean {
  return (
    winner.kind === loser.kind &&
    winner.recipe !== loser.recipe &&
    winner.latents <= loser.latents &&
    winner.l0 <= loser.l0 &&
    loser.fvu - winner.fvu > margin
  );
}
