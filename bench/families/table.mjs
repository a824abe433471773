/** The scores of the families as a table. It must not know how they were come by. */

/**
 * @typedef {import('./world.mjs').Scores} Scores
 * @typedef {{ name: string, source: string, knob: string }} Named
 */

/** @type {Record<string, (named: Named, scores: Partial<Scores>[]) => string>} */
const COLUMNS = {
  family: ({ name }) => name,
  source: ({ source }) => source,
  knob: ({ knob }) => knob,
  L0: (_, scores) => average(scores, 'l0', 1),
  'MCC: mean (lowest to highest)': (_, scores) => {
    const mcc = scores.map((each) => each.mcc);
    return `${average(scores, 'mcc', 3)} (${Math.min(...mcc).toFixed(3)} to ${Math.max(...mcc).toFixed(3)})`;
  },
  F1: (_, scores) => average(scores, 'f1', 3),
  'explained variance': (_, scores) => average(scores, 'explained', 3),
  'null MCC': (_, scores) => average(scores, 'nullMcc', 3),
  'dead latents': (_, scores) => average(scores, 'dead', 1),
  'CPU seconds': (_, scores) => average(scores, 'seconds', 0),
};

/** Empty where a score does not apply. @param {Partial<Scores>[]} scores @param {keyof Scores} key @param {number} digits */
function average(scores, key, digits) {
  const sum = scores.reduce((total, each) => total + (each[key] ?? NaN), 0);
  return Number.isNaN(sum) ? '' : (sum / scores.length).toFixed(digits);
}

export const HEAD = [
  `| ${Object.keys(COLUMNS).join(' | ')} |`,
  `|${' --- |'.repeat(Object.keys(COLUMNS).length)}`,
];

/** One line: the mean over worlds. @param {Named} named @param {Partial<Scores>[]} scores the same in each world */
export function rowOf(named, scores) {
  const cells = Object.values(COLUMNS).map((cell) => cell(named, scores));
  return `| ${cells.join(' | ')} |`;
}
