/** A sweep over sparsity as text: a row for each k, what each criterion says, and the proposal. It must not know how it was swept. */
import { CRITERIA, CRITERION_NAMES } from '../evaluation/sparsity/proposal.ts';
import { decimal } from '../report/numbers.ts';
import { siteName } from '../runs/site.ts';
import type { SparsityFile } from '../runs/sparsity.ts';
import { table } from './text.ts';

type Interval = SparsityFile['points'][number]['l0'];

export function sparsityText(file: SparsityFile): string {
  const { config, points, seeds, distortions, distortion, floors, optima, proposal } = file;
  const at = distortions.indexOf(distortion);
  const rows = points.map((point) => [
    String(point.k),
    cell(point.l0, 1),
    cell(point.fvu, 3),
    cell(point.decoderCosine, 4),
    cell(point.projection, 4),
    cell(point.bits[at], 1),
    cell(point.knee, 2),
    cell(point.consensus, 3),
  ]);
  const floor = (value: number | null, decimals: number) => (value === null ? '-' : decimal(value, decimals));
  rows.push([
    'random',
    '',
    '',
    floor(floors.decoderCosine, 4),
    floor(floors.projection, 4),
    '',
    '',
    floor(0, 3),
  ]);
  const head = [
    'k',
    'L0',
    'FVU',
    'c_dec',
    's_n',
    `bits at FVU ${decimal(distortion, 3)}`,
    'knee',
    'consensus',
  ];
  const said = CRITERIA.map((criterion) => {
    const optimum = optima[criterion];
    const text =
      optimum?.kind === 'optimum'
        ? `L0 ${decimal(optimum.l0, 1)} [${decimal(optimum.low, 1)}, ${decimal(optimum.high, 1)}]`
        : `none: ${optimum?.why}`;
    return [CRITERION_NAMES[criterion], text];
  });
  return [
    `${siteName(config)}, ${config.dictionary.family}, ${config.dictionary.latents} latents, ${seeds.length} seeds; 95 % intervals over seeds`,
    table(
      head,
      rows,
      head.map(() => 'right'),
    ),
    table(['criterion', 'optimum'], said, ['left', 'left']),
    proposal.kind === 'identified'
      ? `right L0: ${decimal(proposal.l0, 1)} [${decimal(proposal.low, 1)}, ${decimal(proposal.high, 1)}], by ${proposal.agreeing
          .map((criterion) => CRITERION_NAMES[criterion])
          .join(', ')}`
      : `right L0: not identified from these data: ${proposal.why}`,
  ].join('\n\n');
}

/** The mean, and half of its interval. */
function cell({ value, low, high }: Interval, decimals: number): string {
  if (value === null) return '-';
  return low === null || high === null
    ? decimal(value, decimals)
    : `${decimal(value, decimals)} ±${decimal((high - low) / 2, decimals)}`;
}
