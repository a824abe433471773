/** The training log as it grows. */
import { describe, expect, it } from 'vitest';
import { continued, parseTrainingLog } from '../../../web/src/run/trainingLog.ts';

const line = {
  step: 10,
  tokens: 40960,
  loss: 0.5,
  fvu: 0.6,
  auxLoss: 0,
  l0: 32,
  dead: 0,
  gradientNorm: 0.1,
  learningRate: 0.001,
};

describe('the training log', () => {
  it('is read as far as it is written', () => {
    const text = `${JSON.stringify(line)}\n{"step":11,"tok`;
    expect(parseTrainingLog(text, 'metrics.jsonl')).toEqual([line]);
    expect(parseTrainingLog('', 'metrics.jsonl')).toEqual([]);
  });

  it('names the line that is wrong', () => {
    expect(() => parseTrainingLog(`${JSON.stringify(line)}\n{"step":"x"}\n`, 'metrics.jsonl')).toThrow(
      /metrics\.jsonl, line 2/,
    );
    expect(() => parseTrainingLog('<b>\n', 'metrics.jsonl')).toThrow(/metrics\.jsonl, line 1: not JSON/);
  });

  it('goes on with what the run tells, and not with what is there already', () => {
    const told = {
      run: 'a',
      step: 20,
      tokens: 81920,
      loss: 0.4,
      fvu: 0.5,
      l0: 31,
      dead: 2,
      tokensPerSecond: null,
    };
    expect(continued([line], told).at(-1)).toMatchObject({ step: 20, loss: 0.4, dead: 2 });
    expect(continued([line], { ...told, step: 10 })).toEqual([line]);
    expect(continued([line], undefined)).toEqual([line]);
  });
});
