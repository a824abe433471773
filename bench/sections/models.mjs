/** A model at work: harvesting activations at every third layer, and writing text. */
import { runJob } from '../measuring.mjs';
import { number, times } from '../report.mjs';

const PRECISIONS = ['bf16', 'fp32'];
const HOOKS = ['blocks.2.hook_resid_post', 'blocks.5.hook_resid_post'];

/**
 * @param {{ quick: boolean, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function modelsSection({ quick, progress }) {
  const harvests = [];
  for (const hook of HOOKS) {
    for (const precision of PRECISIONS) {
      progress(`harvest at ${hook}, ${precision}`);
      const result = await runJob('harvest', { hook, batch: 16, length: 256, precision, quick });
      harvests.push({ hook, precision, ...result });
    }
  }
  const samplings = [];
  for (const precision of PRECISIONS) {
    progress(`sampling, ${precision}`);
    const result = await runJob('sampling', { sequences: quick ? 128 : 512, length: 256, precision, quick });
    samplings.push({ precision, ...result });
  }
  return {
    name: 'models',
    data: { harvests, samplings },
    ratios: [
      ...HOOKS.map((hook) => {
        const [bf16, fp32] = harvests.filter((harvest) => harvest.hook === hook);
        return {
          what: `harvest at ${hook}, bf16 against fp32`,
          value: times(bf16.tokensPerSecond / fp32.tokensPerSecond, 'faster'),
        };
      }),
      {
        what: 'sampling, bf16 against fp32',
        value: times(samplings[0].tokensPerSecond / samplings[1].tokensPerSecond, 'faster'),
      },
    ],
    tables: [
      {
        title: 'stories15M: 16 sequences of 256 tokens harvested, and sequences of 256 tokens written',
        columns: ['what', 'precision', 'tokens/s'],
        rows: [
          ...harvests.map((h) => [`harvest at ${h.hook}`, h.precision, number(h.tokensPerSecond)]),
          ...samplings.map((s) => ['sampling', s.precision, number(s.tokensPerSecond)]),
        ],
        note: 'Medians.',
      },
    ],
  };
}
