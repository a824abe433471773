/**
 * Fits the verdict on worlds with known features and tests it on kinds of worlds that it was not fitted on:
 * src/evaluation/verdict/calibration.ts and docs/evidence.md.
 *
 *   npm run evidence                    makes all cases first, into runs/evidence; those that are there are taken
 *   npm run evidence -- --cases <dir>   somewhere else
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as Plot from '@observablehq/plot';
import { subjectsOf } from '../dist/calibration/cases.js';
import { calibrationOverSeeds, knownLatents, overSeeds, testHeldOut } from '../dist/calibration/heldOut.js';
import { WORLD_KINDS } from '../dist/calibration/worlds.js';
import { fitVerdict } from '../dist/evaluation/verdict/fit.js';
import { INPUTS } from '../dist/evaluation/verdict/inputs.js';
import { reliability } from '../dist/evaluation/verdict/reliability.js';
import { loadBackend } from '../dist/kernels/index.js';
import { COLOURS, figure } from '../dist/report/figure.js';

const [SEEDS, STEPS, LEVEL] = [5, 1500, 0.1];
const { values: flags } = parseArgs({ options: { cases: { type: 'string', default: 'runs/evidence' } } });
const root = new URL('..', import.meta.url);
const backend = loadBackend();
const kinds = Object.keys(WORLD_KINDS);

/** @typedef {import('../src/calibration/cases.ts').Subject} Subject */
/** @typedef {import('../src/calibration/heldOut.ts').Tested} Tested */

/** @type {Subject[]} */
const subjects = [];
mkdirSync(flags.cases, { recursive: true });
for (let seed = 0; seed < SEEDS; seed++) {
  for (const kind of kinds) {
    const file = join(flags.cases, `${kind}-${seed}-${STEPS}.json`);
    /** @type {Subject[] | undefined} */
    const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    // Cases of an earlier version lack what is asked for now.
    if (!kept?.every(({ remainders }) => remainders)) {
      process.stderr.write(`${kind}, seed ${seed}\n`);
      const made = await subjectsOf(backend, kind, seed, { steps: STEPS });
      writeFileSync(`${file}.part`, JSON.stringify(made));
      renameSync(`${file}.part`, file);
    }
    subjects.push(...JSON.parse(readFileSync(file, 'utf8')));
  }
}

const model = fitVerdict(INPUTS, knownLatents(subjects));
const round = (/** @type {readonly number[]} */ values) =>
  values.map((value) => Number(value.toPrecision(6)));
const stored = {
  inputs: model.inputs,
  means: round(model.means),
  deviations: round(model.deviations),
  intercept: Number(model.intercept.toPrecision(6)),
  slopes: round(model.slopes),
  calibration: {
    scores: round(model.calibration.scores),
    probabilities: round(model.calibration.probabilities),
  },
  falseScores: round(model.falseScores),
  trueScores: round(model.trueScores),
  mostRemainder: Number(model.mostRemainder.toPrecision(6)),
};
write(
  'src/evaluation/verdict/calibration.ts',
  `/** What the verdict learned on worlds with known features. Written by \`npm run evidence\`; do not edit. */
import type { VerdictModel } from './model.ts';

export const CALIBRATION: VerdictModel = ${JSON.stringify(stored)};
`,
);

const tested = testHeldOut(subjects, LEVEL);
const trained = tested.filter(({ subject }) => subject.name === 'trained');
/** Nulls whose latents no remainder can keep from being supported. */
const unbarred = [
  ...new Set(
    subjects.filter(({ remainders }) => remainders.some((one) => one === null)).map(({ name }) => name),
  ),
];
const nulls = [...new Set(subjects.map(({ name }) => name))].filter((name) => name !== 'trained');
const bins = reliability(
  trained.flatMap(({ probability }) => [...probability]),
  trained.flatMap(({ subject }) => subject.isTrue),
);

const falseOnes = (/** @type {Tested} */ one) => one.falseSupported;
const supported = (/** @type {Tested} */ one) => one.supported;
const rightly = (/** @type {Tested} */ one) => one.supported - one.falseSupported;
const trues = (/** @type {Tested} */ one) => one.trues;
const judged = (/** @type {Tested} */ one) => one.judged;
const unmatched = (/** @type {Tested} */ one) => one.judged - one.trues;
const number = (/** @type {number} */ value) => (Number.isNaN(value) ? 'none' : value.toFixed(3));
const share = (/** @type {{ value: number, low: number, high: number }} */ { value, low, high }) =>
  Number.isNaN(low) ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`;
const row = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;

const byKind = kinds.map((kind) => {
  const own = trained.filter(({ subject }) => subject.kind === kind);
  const wrong = overSeeds(own, falseOnes, supported);
  return {
    kind,
    wrong: wrong.value,
    cells: [
      kind,
      share(overSeeds(own, unmatched, judged)),
      share(wrong),
      share(overSeeds(own, rightly, trues)),
      share(
        overSeeds(
          own,
          (one) => one.subject.found,
          (one) => one.subject.features,
        ),
      ),
      share(overSeeds(own, (one) => one.unsupported - one.trueUnsupported, unmatched)),
    ],
  };
});
/** As much above the level is called wrong. */
const SLACK = 0.05;
const failing = byKind.filter(({ wrong }) => wrong > LEVEL + SLACK).map(({ kind }) => kind);

write(
  'docs/evidence.md',
  `# How far a verdict can be trusted

Written by \`npm run evidence\`; do not edit. ${kinds.length} kinds of worlds with known features (\`src/calibration/worlds.ts\`), ${SEEDS} seeds of each. On each a
dictionary of a family, a width (half, as many, twice the features) and an L0 (half, as many, twice those that fire) drawn at random,
its companions, and ${nulls.length} nulls, all trained for ${STEPS} steps. The verdict on each world is that of a model fitted on the other kinds: none of
its kind was seen. Intervals are of 95 % over seeds. (What the verdict looks at, and how hard slopes are pulled to 0, was chosen on a first draw
of five of the kinds, seeds 0 and 1.)

A latent is **true** where its decoder row has a cosine of at least .75 with the direction of a feature (more than the .707 of a latent that
stands for two alike), and its firings, by strength, are that feature's in at least half, with a recall of at least .2. Of a feature of several
dimensions it must lie in their space. A latent that merges features is false, however useful.

A latent is also called undecided, whatever its score, where a dictionary of twice the width has a second latent for what its row leaves beside the
nearest one (its _remainder_, above ${model.mostRemainder.toFixed(3)}: 95 % of the true latents of trained dictionaries are below).

## What was asked, and what was found

| | found | asked |
| --- | --- | --- |
${[
  row([
    'of the latents called supported, false',
    share(overSeeds(trained, falseOnes, supported)),
    `at most .15 (level ${LEVEL})`,
  ]),
  row([
    'the same if all were called supported',
    share(overSeeds(trained, unmatched, judged)),
    'what there is to beat',
  ]),
  row(['of the true latents, called supported', share(overSeeds(trained, rightly, trues)), 'at least .70']),
  row([
    'of the false latents, called unsupported',
    share(overSeeds(trained, (one) => one.unsupported - one.trueUnsupported, unmatched)),
    '',
  ]),
  row(['expected calibration error', share(calibrationOverSeeds(trained)), 'at most .08']),
  row([
    'of all features, with a true latent',
    share(
      overSeeds(
        trained,
        (one) => one.subject.found,
        (one) => one.subject.features,
      ),
    ),
    'what is missed is the rest',
  ]),
].join('\n')}

## Nulls

Latents of nulls that match no feature, called supported (asked: at most .10). A null may find features: where an encoder may learn, or a decoder may
turn a little, some of its latents do.${unbarred.length > 0 ? `\n(The remainders of ${unbarred.join(', ')} are not known in these cases: their shares are what they are without them, the most that they can be.)` : ''}

| null | called supported, of those that match nothing | that match a feature |
| --- | --- | --- |
${nulls
  .map((name) => {
    const own = tested.filter(({ subject }) => subject.name === name);
    return row([name, share(overSeeds(own, falseOnes, unmatched)), share(overSeeds(own, trues, judged))]);
  })
  .join('\n')}

## Reliability

| probability | latents | mean of the probabilities | share that is true |
| --- | --- | --- | --- |
${bins.map((bin) => row([`${bin.low.toFixed(1)} to ${bin.high.toFixed(1)}`, bin.count, number(bin.predicted), number(bin.observed)])).join('\n')}

![Reliability](evidence-reliability.svg)

## Kinds of worlds

${failing.length === 0 ? 'In none of them is the share of false ones among the supported above the level by more than .05.' : `**Wrong in: ${failing.join(', ')}.** There, of the supported more than ${(LEVEL + SLACK).toFixed(2)} are false. Features that fire together are merged in the same way by\nevery seed and L0 nearby, and mostly by a dictionary of twice the width too; where it tells them apart, the remainder shows it.`}

| kind | false, of those judged | false, of the supported | supported, of the true | features found | unsupported, of the false |
| --- | --- | --- | --- | --- | --- |
${byKind.map(({ cells }) => row(cells)).join('\n')}

## What the verdict rests on

Slopes for inputs of mean 0 and variance 1 (\`src/evaluation/verdict/inputs.ts\`), fitted on all kinds.

| input | slope |
| --- | --- |
${model.inputs.map((name, i) => row([name, model.slopes[i].toFixed(2)])).join('\n')}

## Tried against mergers

Measured once and by hand, on 18 of these worlds (the trained dictionaries and two nulls; two seeds of most kinds), each kind judged by a model that
never saw it. As further inputs of the score none of these changed anything in \`mixture\`, where all latents score above what other kinds ask
for: they tell false from true within a kind, and are outweighed between kinds. As a bar that a supported latent must not exceed, set where 5 % of
the true latents of the other kinds exceed it, the remainder does, and is kept.

| what | used as | false, of the supported | supported, of the true | the same in mixture |
| --- | --- | --- | --- | --- |
| nothing |  | 0.085 | 0.649 | 0.33, 1.00 |
| remainder in a wider dictionary | input | 0.088 | 0.643 | 0.33, 1.00 |
| F1 of its firings with those of two latents of a wider dictionary joined, less that with the better of the two | input | 0.083 | 0.663 | 0.33, 1.00 |
| kurtosis of what is left of the rows on which it fires, along the leading direction at right angles to its own: flat where it has two causes | input | 0.083 | 0.640 | 0.33, 1.00 |
| the same kurtosis | bar at 5 % | 0.081 | 0.595 | 0.30, 0.99 |
| **remainder** | bar at 5 % | 0.051 | 0.642 | 0.22, 0.96 |
| remainder | bar at 15 % | 0.040 | 0.604 | 0.20, 0.74 |

On all 50 worlds the bar takes .018 [.009, .028] from the share of false ones among the supported and .020 [.008, .031] from that of supported ones among
the true, seed by seed. A stricter level without it takes more for less: at 7 % .077 are false and .760 supported. Nothing was found for sets in which a
wider dictionary merges too.

${cpus()[0].model}, instruction set ${backend.instructionSet}.
`,
);
const points = bins.map(({ predicted, observed, count }) => ({ predicted, observed, count }));
const picture = figure('reliability', 'Share of latents that are true, against their probability.', points, {
  width: 400,
  x: { label: 'probability', domain: [0, 1] },
  y: { label: 'share that is true', domain: [0, 1], grid: true },
  r: { range: [2, 10] },
  marks: [
    Plot.line(
      [
        [0, 0],
        [1, 1],
      ],
      { stroke: 'currentColor', strokeDasharray: '3 3' },
    ),
    Plot.dot(points, { x: 'predicted', y: 'observed', r: 'count', fill: COLOURS[0] }),
  ],
});
write('docs/evidence-reliability.svg', `${picture.svg}\n`);
execFileSync('npx', ['biome', 'format', '--write', 'src/evaluation/verdict/calibration.ts'], { cwd: root });

/** @param {string} path @param {string} text */
function write(path, text) {
  writeFileSync(new URL(path, root), text);
}
