/** How many active features can be told apart at best, and whether theory says it right at our sizes. */
import * as Plot from '@observablehq/plot';
import { COLOURS, figure } from '../report/figure.ts';
import { mostActive, type Signs } from '../toy/bounds/donohoTanner.ts';
import { recoveryRate } from '../toy/bounds/recovery.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const FULL = { features: 200, dimensions: 50, seeds: 5, trials: 24 };
const QUICK = { features: 80, dimensions: 20, seeds: 6, trials: 20 };
const SHARES = [0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7];

export const donohoTanner: Experiment = {
  name: 'donoho-tanner',
  title: 'How many features could be read at best',
  claim:
    'Sparse codes of n features in m random dimensions can be read by l1 minimisation where fewer than rho(m / n) m of them ' +
    'are active, and hardly ever where more are; knowing that amplitudes are not negative raises the threshold.',
  prediction:
    'At n = 200, m = 50, the number of active features at which half of the codes are found by linear programming is within ' +
    '15 % of the weak threshold, for signed amplitudes (k / m = .267) and for those that are not negative (.365).',
  source: 'Donoho and Tanner 2009, Philosophical Transactions of the Royal Society A 367',
  minutes: 1,
  async run({ quick, seed, update }) {
    const { features, dimensions, seeds, trials } = quick ? QUICK : FULL;
    const kinds: Signs[] = ['signed', 'nonnegative'];
    const data: { signs: Signs; seed: number; active: number; found: number }[] = [];
    const quotients: Record<Signs, number[]> = { signed: [], nonnegative: [] };
    let done = 0;
    for (const signs of kinds) {
      const threshold = mostActive(features, dimensions, signs);
      for (let s = 0; s < seeds; s++) {
        const rates: { active: number; found: number }[] = [];
        for (const share of SHARES) {
          const active = Math.max(1, Math.round(share * threshold));
          const found = recoveryRate({
            n: features,
            m: dimensions,
            k: active,
            signs,
            trials,
            seed: seed + s,
          });
          rates.push({ active, found });
          data.push({ signs, seed: seed + s, active, found });
          update(++done, kinds.length * seeds * SHARES.length);
          await new Promise(setImmediate);
        }
        quotients[signs].push(halfway(rates) / threshold);
      }
    }
    const findings = kinds.map((signs) =>
      overSeeds(`active features at which half are found, over the threshold, ${signs}`, quotients[signs], {
        predicted: { low: 0.85, high: 1.15 },
      }),
    );
    const caption = `Share of codes of ${features} features in ${dimensions} dimensions that linear programming finds, against the number that is active. The lines mark the thresholds.`;
    const picture = figure('recovery', caption, data, {
      x: { label: 'active features' },
      y: { label: 'found', grid: true, domain: [0, 1] },
      color: { domain: kinds, range: COLOURS },
      marks: [
        Plot.ruleX(kinds, {
          x: (signs: Signs) => mostActive(features, dimensions, signs),
          stroke: (signs: Signs) => signs,
          strokeDasharray: '3 3',
        }),
        Plot.line(data, Plot.groupX({ y: 'mean' }, { x: 'active', y: 'found', stroke: 'signs' })),
        Plot.dot(data, { x: 'active', y: 'found', stroke: 'signs', r: 2 }),
      ],
    });
    return { findings, figures: [picture], ...judge(findings) };
  },
};

/** Where the share that is found passes one half, on a straight line between the two that enclose it; NaN where none do. */
function halfway(rates: readonly { active: number; found: number }[]): number {
  const after = rates.findIndex(({ found }) => found < 0.5);
  if (after < 1) return NaN;
  const [a, b] = [rates[after - 1], rates[after]];
  return a.active + ((a.found - 0.5) / (a.found - b.found)) * (b.active - a.active);
}
