/** What a person is told of an atlas: how many latents neurons serve, beside what random axes would. It must not know how that was counted. */

import type { DirectionKind } from '../interpretation/atlas/shape.ts';
import { decimal, grouped } from '../report/numbers.ts';
import type { Atlas } from '../runs/atlasSchema.ts';
import { cell } from './metricsTable.ts';
import { table } from './text.ts';

const NAMES: Record<DirectionKind, string> = {
  neuron: 'neurons',
  rotation: 'null: axes of a random basis',
  latent: 'decoder directions of latents',
};

export function atlasText(directory: string, atlas: Atlas): string {
  const { documents, tokens, examples, effectiveNeurons, directions, leftOut } = atlas;
  const { median, random } = effectiveNeurons;
  const gapOf = (kind: DirectionKind) => directions?.gaps.find(({ less }) => less === kind)?.effective;
  const rows = (directions?.kinds ?? []).map(({ kind, directions: count, effective }) => {
    const gap = gapOf(kind);
    return [NAMES[kind], grouped(count), cell(effective, 1), gap ? cell(gap, 1) : ''];
  });
  const head = ['', 'directions', 'latents each serves', 'neurons have more'];
  return [
    ...(directions ? [table(head, rows, ['left', 'right', 'right', 'right']), ''] : []),
    ...leftOut.map(({ part, reason }) => `No ${part}: ${reason}.`),
    `A latent's direction is spread over ${cell(median, 1)} neurons (median; a random direction over ` +
      `${cell(random.mean, 1)}, 95 % of them over ${decimal(random.low, 1)} to ${decimal(random.high, 1)}).`,
    `${grouped(documents)} test documents, ${grouped(tokens)} tokens; words of ${grouped(examples)} examples. Numbers are effective ` +
      'numbers, exp(entropy); of directions the median, with 95 % intervals over documents.',
    `in ${directory}: atlas.json and what it tells of`,
  ].join('\n');
}
