/** The evidence for a latent in words, by fixed rules: no number is called good unless every null is below it. It must not know of markup. */
import { decimal, percent } from '../../../src/report/numbers.ts';
import type { EvidenceMeasure, EvidenceSummary, LatentEvidence } from '../../../src/runs/evidenceSchema.ts';
import { isEffect, type Spread, type Strip } from './strips.ts';

/** Better than this share of the latents of a null counts as more than the null comes to. */
const MOST = 0.95;

/** What the verdict on the latent is, and what that means. */
export function verdictWords({ verdict, probability }: LatentEvidence, { level }: EvidenceSummary): string {
  if (Number.isNaN(probability))
    return 'It fires on fewer than 20 of the held-out tokens: too seldom for anything to be said.';
  const rate = percent(level);
  const meaning = {
    supported: `what speaks for it would be rare in a latent that stands for nothing or for several things. Of the latents called supported about ${rate} may be false.`,
    unsupported: `what speaks for it would be rare in a true feature. Of the latents called unsupported about ${rate} may be true after all.`,
    undecided: `what speaks for it could come from a true feature and from an artifact; at a false-discovery rate of ${rate} neither can be ruled out.`,
  }[verdict];
  return `The probability that it is a true feature of the data is ${decimal(probability, 2)}: ${meaning}`;
}

/** Where the dictionary as a whole stands beside the null that comes nearest to it: what a latent of a null has, this one may have for no better reason. */
export function dictionaryWords({ dictionaries }: EvidenceSummary): string | undefined {
  const [own, ...nulls] = dictionaries;
  const hardest = nulls
    .filter(({ gap }) => gap && gap.probability.value !== null)
    .reduce<(typeof nulls)[number] | undefined>(
      (least, one) => (least && least.gap!.probability.value! <= one.gap!.probability.value! ? least : one),
      undefined,
    );
  if (!hardest || own.probability.value === null || hardest.probability.value === null) return undefined;
  const { value, low, high } = hardest.gap!.probability;
  const span = low === null || high === null ? '' : ` [${decimal(low, 3)}, ${decimal(high, 3)}]`;
  const what =
    low !== null && low > 0
      ? 'this dictionary has more'
      : high !== null && high < 0
        ? 'the null has more, so a probability like this is no evidence about what the network learned'
        : 'no more than the null has';
  return `The mean over this dictionary is ${decimal(own.probability.value, 3)}, over the null that comes nearest (${hardest.name}) ${decimal(hardest.probability.value, 3)}: a gap of ${decimal(value!, 3)}${span}, ${what}.`;
}

/** Sentences on the measures that tell most. */
export function evidenceWords(strips: readonly Strip[]): string[] {
  const strip = (measure: EvidenceMeasure) => strips.find((one) => one.measure === measure);
  const [seeds, fires, out] = [strip('consensus'), strip('agreement'), strip('ablated')];
  const sentences: string[] = [];
  if (seeds) {
    const range = `cosine ${rangeOf(seeds)}`;
    sentences.push(
      `${byNulls(seeds, {
        more: `It is found again by dictionaries of other seeds (${range})`,
        some: `Dictionaries of other seeds have something like it (${range})`,
        less: `It is not found again by dictionaries of other seeds (${range})`,
      })}${besideNulls(seeds)}.`,
    );
  }
  if (fires)
    sentences.push(
      `${byNulls(fires, {
        more: `Its counterparts there fire on the same tokens (F1 ${number(fires)})`,
        some: `Its counterparts there fire on some of the same tokens (F1 ${number(fires)})`,
        less: `Its counterparts there fire on other tokens (F1 ${number(fires)})`,
      })}${besideNulls(fires)}.`,
    );
  if (out) sentences.push(effectWords(out));
  return sentences;
}

/** In how many measures it does better than all nulls, and in how many no better than a null's middle latent. */
export function tallyWords(strips: readonly Strip[]): string | undefined {
  const judged = strips.filter(({ better, hardest }) => better && hardest);
  if (judged.length === 0) return undefined;
  const labels = (some: readonly Strip[]) => some.map(({ label }) => label.toLowerCase()).join(', ');
  const best = judged.filter(({ hardest }) => hardest!.beaten >= MOST);
  const worst = judged.filter(({ hardest }) => hardest!.beaten < 0.5);
  const ahead =
    best.length === 0
      ? `In none of ${judged.length} measures is it ahead of ${percent(MOST)} of the latents of every null`
      : `In ${best.length} of ${judged.length} measures it is ahead of ${percent(MOST)} of the latents of every null (${labels(best)})`;
  return worst.length === 0
    ? `${ahead}, and in none behind the middle latent of one.`
    : `${ahead}; in ${worst.length} it is behind the middle latent of at least one (${labels(worst)}).`;
}

/** How a strip compares with its nulls: `better than 97 % of the latents of shuffled, the hardest null`. */
export function comparison({ better, hardest, nulls, measure, low, high }: Strip): string {
  if (isEffect(measure))
    return low > 0
      ? 'more than a random direction'
      : high < 0
        ? 'less than a random direction'
        : 'no more than a random direction, as far as can be told';
  if (!hardest) return '';
  if (!better) {
    const random = nulls.find(({ name }) => name === 'random') ?? hardest;
    return `above ${share(random)} of the latents of ${random.name}`;
  }
  return `better than ${share(hardest)} of the latents of ${hardest.name}${nulls.length > 1 ? ', the hardest null' : ''}`;
}

function effectWords({ value, low, high }: Strip): string {
  const times = `${decimal(Math.exp(value), 1)} times as far [${decimal(Math.exp(low), 1)}, ${decimal(Math.exp(high), 1)}]`;
  if (low > 0)
    return `The model uses it: taking it out moves the prediction ${times} as taking out a random direction does.`;
  if (high < 0)
    return `The model minds its absence less than that of a random direction: the prediction moves ${times}.`;
  return `Whether the model uses it cannot be told: taking it out moves the prediction ${times} as taking out a random direction does.`;
}

function byNulls({ hardest }: Strip, texts: { more: string; some: string; less: string }): string {
  if (!hardest || (hardest.beaten < MOST && hardest.beaten >= 0.5)) return texts.some;
  return hardest.beaten >= MOST ? texts.more : texts.less;
}

/** What random directions reach, and what the hardest null does. */
function besideNulls({ hardest, nulls, decimals }: Strip): string {
  const random = nulls.find(({ name }) => name === 'random');
  const reach =
    random && `${percent(MOST)} of random directions stay below ${decimal(random.quantiles[19], decimals)}`;
  const beats =
    hardest &&
    hardest !== random &&
    `it does better than ${share(hardest)} of the latents of ${hardest.name}`;
  const parts = [reach, beats].filter((part) => part);
  return parts.length === 0 ? '' : `; ${parts.join(', and ')}`;
}

function number({ value, low, high, decimals }: Strip): string {
  return `${decimal(value, decimals)} [${decimal(low, decimals)}, ${decimal(high, decimals)}]`;
}

function rangeOf({ low, high, decimals }: Strip): string {
  const [from, to] = [decimal(low, decimals), decimal(high, decimals)];
  return from === to ? from : `${from} to ${to}`;
}

/** In whole percent, never rounded up to all. */
export function share({ beaten }: Spread): string {
  return beaten === 1 ? 'all' : `${Math.floor(100 * beaten)} %`;
}
