/** Text in a terminal: rows of a table, and escape sequences where they are wanted. It must not know what is shown. */
import Table from 'cli-table3';

/** `text` in an ANSI style, given as its SGR parameters; as it is where colour is not wanted. */
export function styled(text: string, parameters: string, colour: boolean): string {
  return colour ? `\u001b[${parameters}m${text}\u001b[0m` : text;
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A table with its columns in line and no borders. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ('left' | 'right')[],
): string {
  const drawn = new Table({
    chars: NO_BORDERS,
    colAligns: [...align],
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  drawn.push(...[head, ...rows].map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Pairs of a label and a value, one to a line. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  return table([], pairs, ['left', 'left']).trimStart();
}

/** A corpus by its description. Said first: numbers on a model's own text are not numbers on people's text. */
export function corpusText(corpus: { description: string; modelGenerated: boolean }): string {
  return `${corpus.modelGenerated ? 'model-generated: ' : ''}${corpus.description}`;
}
