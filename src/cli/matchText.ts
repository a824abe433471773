/** What a person is told of two runs side by side. It must not know how latents were matched. */
import { decimal, percent } from '../report/numbers.ts';
import type { StoredComparison } from '../runs/matchesSchema.ts';
import { cell } from './metricsTable.ts';
import { table } from './text.ts';

export function matchText(
  directory: string,
  { name, threshold, chance, nulls, ...own }: StoredComparison,
): string {
  const row = (label: string, { matched, cosine }: Pick<StoredComparison, 'matched' | 'cosine'>) => [
    label,
    cell(matched, 3),
    cell(cosine, 3),
  ];
  return [
    table(
      ['', 'share matched', 'cosine of the nearest'],
      [row(`latents of ${name}`, own), ...nulls.map((one) => row(`null: ${one.name}`, one))],
      ['left', 'right', 'right'],
    ),
    '',
    `Matched latents are nearest to each other, of a cosine above ${decimal(threshold, 3)}, which ${percent(chance)} of latents have ` +
      'with a null. Intervals of 95 % are over latents.',
    `in ${directory}: matches.json, matches.parquet`,
  ].join('\n');
}
