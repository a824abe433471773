/**
 * The picture of a sweep over sparsity: the curves of all criteria on one axis, each over its own range. It must not know how
 * they were measured.
 */
import * as Plot from '@observablehq/plot';
import type { Figure } from '../runs/entrySchema.ts';
import type { SparsityFile } from '../runs/sparsity.ts';
import { COLOURS, figure } from './figure.ts';
import { decimal } from './numbers.ts';

type Interval = SparsityFile['points'][number]['l0'];
type Point = SparsityFile['points'][number];
type Content = Pick<SparsityFile, 'points' | 'distortions' | 'distortion' | 'optima' | 'proposal'>;

/** What is drawn of a point, and whether the less is the better. */
const LINES: readonly {
  criterion: keyof SparsityFile['optima'];
  label: string;
  less: boolean;
  of: (point: Point, distortion: number) => Interval;
}[] = [
  { criterion: 'decoderCosine', label: 'c_dec', less: true, of: (point) => point.decoderCosine },
  { criterion: 'projection', label: 's_n', less: true, of: (point) => point.projection },
  {
    criterion: 'descriptionLength',
    label: 'description length',
    less: true,
    of: (point, distortion) => point.bits[distortion],
  },
  { criterion: 'knee', label: 'knee', less: false, of: (point) => point.knee },
  { criterion: 'consensus', label: 'consensus of seeds', less: false, of: (point) => point.consensus },
];

/**
 * Each curve from 0, its best, to 1, its worst; bands are 95 % intervals over seeds. Dots mark optima; the shaded interval is
 * the proposal.
 */
export function sparsityFigure(name: string, subject: string, content: Content): Figure {
  const { points, distortions, distortion, optima, proposal } = content;
  const at = distortions.indexOf(distortion);
  const data = LINES.flatMap(({ label, less, of }) => {
    const known = points.filter((point) => of(point, at).value !== null);
    const values = known.map((point) => of(point, at).value!);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const place = (value: number) => {
      const share = most === least ? 0.5 : (value - least) / (most - least);
      return Math.max(-0.15, Math.min(1.15, less ? share : 1 - share));
    };
    return known.map((point) => {
      const { value, low, high } = of(point, at);
      const ends = [place(low ?? value!), place(high ?? value!)];
      return {
        line: label,
        k: point.k,
        l0: point.l0.value!,
        value: place(value!),
        low: Math.min(...ends),
        high: Math.max(...ends),
        measured: value!,
      };
    });
  });
  const dots = LINES.flatMap(({ criterion, label }) => {
    const optimum = optima[criterion];
    return optimum?.kind === 'optimum' ? [{ line: label, l0: optimum.l0 }] : [];
  });
  const found = proposal.kind === 'identified' ? [proposal] : [];
  const said =
    proposal.kind === 'identified'
      ? `L0 ${decimal(proposal.l0, 1)} [${decimal(proposal.low, 1)}, ${decimal(proposal.high, 1)}]`
      : 'no L0 is identified';
  const caption = `${subject}: what speaks for an L0, each curve from its best (0) to its worst (1); ${said}.`;
  return figure(name, caption, data, {
    x: { type: 'log', label: 'L0', ticks: points.map(({ l0 }) => l0.value!), tickFormat: '.3~g' },
    y: { label: null, grid: true, domain: [-0.15, 1.6], ticks: [0, 0.5, 1] },
    color: { domain: LINES.map(({ label }) => label), range: COLOURS },
    marks: [
      Plot.rectX(found, { x1: 'low', x2: 'high', fill: 'currentColor', fillOpacity: 0.08 }),
      Plot.ruleX(found, { x: 'l0', stroke: 'currentColor', strokeDasharray: '3 3' }),
      Plot.areaY(data, { x: 'l0', y1: 'low', y2: 'high', z: 'line', fill: 'line', fillOpacity: 0.12 }),
      Plot.line(data, { x: 'l0', y: 'value', stroke: 'line' }),
      Plot.dot(dots, { x: 'l0', y: -0.08, fill: 'line', r: 4 }),
    ],
  });
}
