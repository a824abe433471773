import { describe, expect, it } from 'vitest';
import {
  evaluationFlops,
  explanationFlops,
  harvestFlops,
  samplingFlops,
  trainingFlops,
} from '../../src/pipeline/flops.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { siteOf } from '../../src/runs/site.ts';

const model = {
  name: 'tiny',
  layers: 3,
  width: 4,
  heads: 2,
  headWidth: 2,
  mlpWidth: 6,
  vocabulary: 10,
  context: 8,
  epsilon: 1e-5,
  ropeTheta: 1e4,
  bos: 1,
};
/** q, k, v, o of 4 x 4 and three matrices of 4 x 6, two operations for each weight. */
const BLOCK = 2 * (4 * 16 + 3 * 24);
const UNEMBEDDING = 2 * 40;
const config = parseConfig({
  name: 'a',
  hook: 'blocks.1.hook_resid_post',
  dictionary: { latents: 12, k: 3 },
});

describe('FLOPs', () => {
  it('of sampling are those of all blocks and the unembedding', () => {
    expect(samplingFlops(model, 7)).toBe(7 * (3 * BLOCK + UNEMBEDDING));
  });
  it('of a harvest are those of the blocks up to the last hook point', () => {
    expect(harvestFlops(model, ['blocks.0.hook_mlp_out', 'blocks.1.hook_resid_post'], 5)).toBe(5 * 2 * BLOCK);
    expect(harvestFlops(model, ['ln_final.hook_normalized'], 5)).toBe(5 * 3 * BLOCK);
  });
  it('of training are 2 d F + 8 d L0 a token', () => {
    expect(trainingFlops(config, 4, 3, 10)).toBe(10 * (2 * 4 * 12 + 8 * 4 * 3));
  });
  it('of an evaluation are a clean run, two ablations, and each dictionary', () => {
    const flops = (dictionaries: number) =>
      evaluationFlops(model, config, siteOf(config), { width: 4, l0: 3, tokens: 1, dictionaries });
    expect(flops(0)).toBe(3 * BLOCK + 2 * 2 * BLOCK + 3 * UNEMBEDDING);
    expect(flops(2) - flops(1)).toBe(2 * 4 * 12 + 2 * 4 * 3 + 2 * BLOCK + 2 * UNEMBEDDING);
  });
  it('of an explanation are one more encoding, and decoder rows against the vocabulary twice', () => {
    expect(explanationFlops(model, config, 4, 100)).toBe(100 * 2 * 4 * 12 + 2 * 12 * UNEMBEDDING);
  });
});
