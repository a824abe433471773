/**
 * What stands in the place of the other decoder when latents are matched, to see how well ones that mean nothing would be:
 * - `mixed`: its rows mixed at random (`mixRows`), which keeps their mean and covariance and none of its directions;
 * - `random`: as many random directions.
 * Nothing is imported: a page uses it too.
 */
export const MATCHING_NULLS = ['mixed', 'random'] as const;
export type MatchingNull = (typeof MATCHING_NULLS)[number];
