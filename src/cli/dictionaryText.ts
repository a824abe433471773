/** A dictionary in a few words. It must not know which file it came from. */
import type { Dictionary, Selection } from '../dictionaries/dictionary.ts';
import { decimal } from '../report/numbers.ts';

export interface DictionaryFacts {
  readonly width: number;
  readonly outputWidth: number;
  readonly latents: number;
  /** How latents are chosen, and what is done beside. */
  readonly selection: string;
}

export function describeDictionary({ width, outputWidth, latents, ...rest }: Dictionary): DictionaryFacts {
  const beside = [
    rest.skip && 'a skip path',
    rest.normalisation === 'layerNorm' && 'layer norm before',
    rest.normalisation === 'constantNorm' && 'scaled to the norm sqrt(width) before',
  ].filter((part) => typeof part === 'string');
  return {
    width,
    outputWidth,
    latents,
    selection: [describeSelection(rest.selection), ...beside].join(', '),
  };
}

function describeSelection(selection: Selection): string {
  switch (selection.kind) {
    case 'topk':
      return `TopK, k = ${selection.k}`;
    case 'absTopK':
      return `TopK by magnitude, k = ${selection.k}`;
    case 'groupMax':
      return `the largest of each of ${selection.k} groups`;
    case 'pursuit':
      return `matching pursuit, ${selection.most} rounds at most, until ${selection.residual} is left`;
    case 'threshold': {
      const [low, high] = selection.threshold.reduce(
        ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      );
      if (high <= 0) return 'ReLU';
      return low === high
        ? `threshold ${decimal(low, 3)}`
        : `thresholds ${decimal(low, 3)} to ${decimal(high, 3)}`;
    }
  }
}
