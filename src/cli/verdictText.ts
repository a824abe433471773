/** The verdict on a run as a table: the dictionary, and beside it its nulls under the same judgement. */
import { decimal, grouped, percent } from '../report/numbers.ts';
import type { EvidenceSummary, JudgedDictionary } from '../runs/evidenceSchema.ts';
import type { Interval } from '../runs/schema.ts';
import { cell } from './metricsTable.ts';
import { table } from './text.ts';

export function verdictText(
  directory: string,
  { level, documents, tokens, otherCorpus, dictionaries, classes }: EvidenceSummary,
): string {
  const head = [
    '',
    'latents',
    'judged',
    'supported',
    'unsupported',
    'undecided',
    'share supported',
    'gap',
    'probability',
    'gap',
  ];
  const rows = dictionaries.map((one, i) => [
    i === 0 ? 'this dictionary' : `null: ${one.name}`,
    grouped(one.latents),
    grouped(one.judged),
    grouped(one.supported),
    grouped(one.unsupported),
    grouped(one.undecided),
    cell(one.supportedShare, 3),
    one.gap ? cell(one.gap.supportedShare, 3) : '',
    cell(one.probability, 3),
    one.gap ? cell(one.gap.probability, 3) : '',
  ]);
  const [own, ...nulls] = dictionaries;
  const classRows = classes.map((one) => [
    one.class,
    grouped(one.latents),
    grouped(one.supported),
    grouped(one.unsupported),
    grouped(one.undecided),
    one.probability === null ? 'unknown' : cell(one.probability, 3),
  ]);
  const classHead = ['of this dictionary', 'latents', 'supported', 'unsupported', 'undecided', 'probability'];
  return [
    table(head, rows, ['left', ...head.slice(1).map(() => 'right' as const)]),
    '',
    `${grouped(documents)} test documents, ${grouped(tokens)} tokens; 95 % intervals over documents. A latent is judged where it fires at least 20 times.`,
    `Supported: at a false-discovery rate of ${percent(level)}, learned on worlds with known features. Probability: that a latent is true, mean over those judged. Gap: what this dictionary has more than the null.`,
    conclusion(own, nulls),
    ...(otherCorpus ? [transferLine(otherCorpus, own, nulls)] : []),
    '',
    table(classHead, classRows, ['left', ...classHead.slice(1).map(() => 'right' as const)]),
    '',
    `each latent: ${directory}/evidence.parquet; how they are composed: ${directory}/composition.json`,
    '',
  ].join('\n');
}

function conclusion(own: JudgedDictionary, nulls: readonly JudgedDictionary[]): string {
  const low = ({ low }: Interval) => low ?? -Infinity;
  const level = nulls
    .filter(({ gap }) => gap !== undefined && low(gap.supportedShare) <= 0)
    .map(({ name }) => name);
  if (nulls.length === 0)
    return 'No nulls: these numbers do not say whether a dictionary without true features would do as well.';
  if (own.supported === 0) return 'No latent is supported.';
  if (level.length > 0)
    return `As many latents are supported in ${level.join(', ')}: this is no evidence of true features.`;
  return 'More latents are supported than in any null.';
}

/** Smaller changes are none. */
const thousandths = (value: number) => decimal(Math.round(value * 1000) / 1000 || 0, 3);

/** Medians over latents: what most of them do in other text, and what those of nulls do. */
function transferLine(
  { name, tokens }: NonNullable<EvidenceSummary['otherCorpus']>,
  own: JudgedDictionary,
  nulls: readonly JudgedDictionary[],
): string {
  const median = ({ distributions }: JudgedDictionary) => {
    const told = distributions?.transfer;
    return told && { latents: told.latents, value: told.quantiles[(told.quantiles.length - 1) / 2] };
  };
  const among = `In other text (${name}, ${grouped(tokens)} tokens)`;
  const here = median(own);
  if (!here) return `${among} no latent fires often enough for anything to be said.`;
  const there = nulls.flatMap((one) => {
    const told = median(one);
    return told ? [`${one.name} ${thousandths(told.value)}`] : [];
  });
  return (
    `${among} the share that a latent explains of what others leave it changes by ${thousandths(here.value)}, median over ${grouped(here.latents)} that fire there` +
    (there.length > 0 ? `; of nulls: ${there.join(', ')}.` : '.')
  );
}
