/** Measures of a latent beside their nulls: how many it passes, and what is said of that. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantiles } from '../../../src/math/statistics.ts';
import {
  EVIDENCE_MEASURES,
  EVIDENCE_QUANTILES,
  type EvidenceMeasure,
  type EvidenceSummary,
  type JudgedDictionary,
  type LatentEvidence,
} from '../../../src/runs/evidenceSchema.ts';
import { stripsOf } from '../../../web/src/feature/strips.ts';
import {
  comparison,
  dictionaryWords,
  evidenceWords,
  tallyWords,
  verdictWords,
} from '../../../web/src/feature/words.ts';

const known = { value: 0.3, low: 0.29, high: 0.31 };

/** A dictionary whose latents are spread evenly from `from` to `to`, in all measures or in one. */
function spread(name: string, from: number, to: number, gap?: number): JudgedDictionary {
  const values = Float64Array.from({ length: 101 }, (_, i) => from + ((to - from) * i) / 100);
  const distribution = { latents: 101, quantiles: quantiles(values, EVIDENCE_QUANTILES) };
  const measures: readonly EvidenceMeasure[] = EVIDENCE_MEASURES.filter(
    (measure) => name === 'dictionary' || (measure !== 'ablated' && measure !== 'added'),
  );
  return {
    name,
    latents: 101,
    judged: 101,
    supported: 0,
    unsupported: 0,
    undecided: 101,
    supportedShare: known,
    probability: known,
    ...(gap !== undefined && {
      gap: { supportedShare: known, probability: { value: gap, low: gap - 0.01, high: gap + 0.01 } },
    }),
    distributions: Object.fromEntries(measures.map((measure) => [measure, distribution])),
  };
}

function summaryOf(...nulls: JudgedDictionary[]): EvidenceSummary {
  return {
    format: 1,
    level: 0.1,
    split: 'test',
    documents: 10,
    tokens: 1000,
    dictionaries: [spread('dictionary', 0, 1), ...nulls],
    classes: [],
  };
}

function latentWith(values: Partial<Record<EvidenceMeasure, number>>, others = 0.5): LatentEvidence {
  const measures = EVIDENCE_MEASURES.flatMap((measure) => {
    const value = values[measure] ?? others;
    return [
      [measure, value],
      [`${measure}Low`, value - 0.1],
      [`${measure}High`, value + 0.1],
    ];
  });
  return {
    latent: 3,
    class: 'atom',
    verdict: 'undecided',
    probability: 0.45,
    score: 0,
    sharePercentile: 0.5,
    kurtosisPercentile: 0.5,
    ...Object.fromEntries(measures),
  } as LatentEvidence;
}

const strip = (measure: EvidenceMeasure, value: number, ...nulls: JudgedDictionary[]) =>
  stripsOf(latentWith({ [measure]: value }), summaryOf(...nulls)).find((one) => one.measure === measure)!;

describe('measures beside nulls', () => {
  it('passes the share of an even spread that lies below, and above where less is better', () => {
    fc.assert(
      fc.property(fc.double({ min: -0.5, max: 1.5, noNaN: true }), (value) => {
        const share = Math.min(1, Math.max(0, value));
        const [seeds, own] = [
          strip('consensus', value, spread('random', 0, 1)),
          strip('neighbour', value, spread('random', 0, 1)),
        ];
        expect(seeds.hardest!.beaten).toBeCloseTo(share, 9);
        expect(own.hardest!.beaten).toBeCloseTo(1 - share, 9);
      }),
    );
  });

  it('passes none of equal latents by being equal', () => {
    expect(strip('consensus', 0.2, spread('random', 0.2, 0.2)).hardest!.beaten).toBe(0);
    expect(strip('neighbour', 0.2, spread('random', 0.2, 0.2)).hardest!.beaten).toBe(0);
    expect(strip('consensus', 0.21, spread('random', 0.2, 0.2)).hardest!.beaten).toBe(1);
  });

  it('holds a latent against the null that is hardest to beat', () => {
    const { hardest, nulls } = strip('purity', 0.6, spread('random', 0, 0.5), spread('shuffled', 0, 1));
    expect(nulls.map(({ name }) => name)).toEqual(['random', 'shuffled']);
    expect(hardest!.name).toBe('shuffled');
  });

  it('compares what follows from the number of latents only with nulls that have as many', () => {
    const basis = { ...spread('neurons', 0, 0.1), latents: 20 };
    expect(strip('neighbour', 0.6, spread('random', 0, 1), basis).hardest!.name).toBe('random');
    expect(strip('share', 0.6, { ...spread('neurons', 2, 3), latents: 20 }).hardest).toBeUndefined();
    expect(strip('consensus', 0.6, spread('random', 0, 0.2), { ...basis, name: 'ica' }).nulls).toHaveLength(
      2,
    );
  });

  it('leaves out what is not known, and has every mark on the axis', () => {
    const strips = stripsOf(
      latentWith({ kurtosis: Number.NaN, share: 40 }),
      summaryOf(spread('random', 0, 1)),
    );
    expect(strips.map(({ measure }) => measure)).not.toContain('kurtosis');
    for (const { from, to, low, high } of strips) {
      expect(from).toBeLessThan(low);
      expect(to).toBeGreaterThan(high);
    }
  });

  it('does without spreads where an older version judged', () => {
    const { dictionaries, ...rest } = summaryOf(spread('random', 0, 1));
    const older = { ...rest, dictionaries: dictionaries.map(({ distributions, ...one }) => one) };
    const strips = stripsOf(latentWith({}), older);
    expect(strips).toHaveLength(EVIDENCE_MEASURES.length);
    expect(strips.every(({ hardest, own }) => hardest === undefined && own === undefined)).toBe(true);
    expect(tallyWords(strips)).toBeUndefined();
    expect(evidenceWords(strips)[0]).toMatch(/^Dictionaries of other seeds have something like it/);
  });
});

describe('words', () => {
  const words = (values: Parameters<typeof latentWith>[0], ...nulls: JudgedDictionary[]) =>
    evidenceWords(stripsOf(latentWith(values), summaryOf(...nulls))).join(' ');

  it('call a latent found again only where every null is behind it', () => {
    const low = spread('random', 0, 0.3);
    expect(words({ consensus: 0.8 }, low)).toMatch(
      /It is found again by dictionaries of other seeds \(cosine 0\.70 to 0\.90\); 95 % of random directions stay below 0\.2[89]/,
    );
    const high = words({ consensus: 0.8 }, low, spread('frozen-decoder', 0.7, 1));
    expect(high).toMatch(
      /It is not found again .* it does better than 33 % of the latents of frozen-decoder/,
    );
    expect(high).not.toMatch(/is found again/);
  });

  it('say that the model uses it only where the interval is above a random direction', () => {
    expect(words({ ablated: 1 })).toMatch(/The model uses it: .* 2\.7 times as far \[2\.5, 3\.0\]/);
    expect(words({ ablated: 0.05 })).toMatch(/cannot be told/);
    expect(words({ ablated: -1 })).toMatch(/minds its absence less/);
    expect(comparison(strip('ablated', 0.05))).toMatch(/no more than a random direction/);
  });

  it('count what is ahead of all nulls, and what is behind one', () => {
    const strips = stripsOf(latentWith({ consensus: 2, purity: -1 }), summaryOf(spread('random', 0, 1)));
    const tally = tallyWords(strips)!;
    expect(tally).toMatch(/In 1 of 11 measures it is ahead of 95 % .* \(other seeds\)/);
    expect(tally).toMatch(/in 1 it is behind the middle latent of at least one \(one direction\)/);
  });

  it('say what a verdict means, and that too few firings say nothing', () => {
    const summary = summaryOf();
    expect(verdictWords(latentWith({}), summary)).toMatch(/is 0\.45: .* rate of 10 % neither/);
    expect(verdictWords({ ...latentWith({}), probability: Number.NaN }, summary)).toMatch(/too seldom/);
  });

  it('hold the dictionary against the null that comes nearest', () => {
    expect(dictionaryWords(summaryOf())).toBeUndefined();
    const nearest = [spread('random', 0, 1, 0.2), spread('reinitialised', 0, 1, -0.02)];
    expect(dictionaryWords(summaryOf(...nearest))).toMatch(/\(reinitialised\).*the null has more/);
    expect(dictionaryWords(summaryOf(nearest[0]))).toMatch(/\(random\).*this dictionary has more/);
    expect(dictionaryWords(summaryOf(spread('pca', 0, 1, 0.005)))).toMatch(/no more than the null has/);
  });
});
