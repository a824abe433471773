/** The examples of a latent in groups: the strongest, then tenths of its activations from the strongest down. It must not know how they are drawn. */
import { groupName } from '../../../src/report/tokenText.ts';
import type { Example } from '../../../src/runs/schema.ts';

export interface ExampleGroup {
  readonly title: string;
  readonly examples: readonly Example[];
}

/** Groups that have any, each by rank. */
export function groupsOf(examples: readonly Example[]): ExampleGroup[] {
  const order = [-1, ...Array.from({ length: 10 }, (_, i) => 9 - i)];
  return order
    .map((quantile) => ({
      title: groupName(quantile),
      examples: examples.filter((one) => one.quantile === quantile).sort((a, b) => a.rank - b.rank),
    }))
    .filter(({ examples: own }) => own.length > 0);
}

/** What shades are measured by: the strongest activation that is known. */
export function strongestOf(examples: readonly Example[], maxActivation = 0): number {
  return examples.reduce((most, { activation }) => Math.max(most, activation), maxActivation);
}
