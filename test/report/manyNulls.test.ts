/** Where a run has all nulls: the best stands beside each number, each has a row, and neither table nor page grows wide. */
import { describe, expect, it } from 'vitest';
import { metricsTable } from '../../src/cli/metricsTable.ts';
import { NULL_NAMES, NULLS } from '../../src/evaluation/nulls/index.ts';
import { bestNull } from '../../src/report/measureList.ts';
import { renderPage } from '../../src/report/page.ts';
import { reading } from '../../src/report/reading.ts';
import type { Evaluation } from '../../src/runs/schema.ts';
import { syntheticEvaluation, syntheticRun } from './syntheticRun.ts';

/** Null i is worse by i hundredths at everything; re-initialised weights are another model. */
function withAll(): Evaluation {
  const evaluation = syntheticEvaluation();
  const metrics = Object.fromEntries(
    Object.entries(evaluation.metrics).map(([metric, measured]) => {
      const best = bestNull(metric, evaluation);
      const lower = best !== undefined && best.value! > measured.value!;
      const nulls = NULL_NAMES.map((name, i) => {
        const same = metric === 'crossEntropyModel' && name !== 'reinitialised';
        const value = same ? measured.value! : measured.value! + ((lower ? 1 : -1) * (i + 1)) / 100;
        return { name, value, low: value - 0.001, high: value + 0.001 };
      });
      return [metric, { ...measured, nulls }];
    }),
  );
  const [own, other] = evaluation.density.dictionaries;
  const dictionaries = [own, ...NULL_NAMES.map((name) => ({ ...other, name }))];
  return {
    ...evaluation,
    metrics,
    nulls: NULLS.map(({ name, description }) => ({ name, description })),
    density: { ...evaluation.density, dictionaries },
  };
}

const evaluation = withAll();

describe('the best null', () => {
  it('is the highest or the lowest, as the measure has it', () => {
    expect(bestNull('explainedVariance', evaluation)?.name).toBe('random');
    expect(bestNull('fvu', evaluation)?.name).toBe('random');
    expect(bestNull('l0', evaluation)).toBeUndefined();
  });

  it('is never one whose loss is another model’s, nor one that is not identified', () => {
    const { klSpliced } = evaluation.metrics;
    const nulls = klSpliced.nulls.map((one) => ({
      ...one,
      value: one.name === 'reinitialised' ? 0 : one.value,
    }));
    const more = { metrics: { ...evaluation.metrics, klSpliced: { ...klSpliced, nulls } } };
    expect(bestNull('klSpliced', more)?.name).toBe('random');
    const none = nulls.map((one) => ({ ...one, value: null }));
    expect(bestNull('klSpliced', { metrics: { klSpliced: { ...klSpliced, nulls: none } } })).toBeUndefined();
  });
});

it('the table keeps to a terminal’s width, and names every null once with its numbers', () => {
  const text = metricsTable(evaluation);
  const [tables, notes] = text.split('\nNull random:');
  expect(Math.max(...tables.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  expect(tables).toMatch(/explained variance +0\.874 \[0\.870, 0\.878\] +0\.864 \[0\.863, 0\.865\] +random/);
  for (const name of NULL_NAMES) expect(tables).toMatch(new RegExp(`^${name} +0\\.\\d{3} \\[`, 'm'));
  for (const { description } of NULLS.slice(1)) expect(notes).toContain(description);
});

it('the page has the best beside each number, and every null below', () => {
  const page = renderPage({ run: syntheticRun(), metrics: [], evaluation });
  expect(page.match(/<span class="kind">null<\/span>/g)).toHaveLength(1);
  expect(page).toContain('<h3>Every null</h3>');
  for (const name of NULL_NAMES) expect(page).toContain(`<th scope="row">${name}</th>`);
  // The histogram draws the two that every run has.
  expect(page).toContain('reinitialised, 14 silent');
  expect(page).not.toContain('pca, 14 silent');
});

it('a reading counts the nulls of one verdict, and names a few', () => {
  const own = { value: 0.8, low: 0.7, high: 0.9 };
  const at = (name: string, value: number) => ({ name, value, low: value - 0.01, high: value + 0.01 });
  const worse = ['a', 'b', 'c', 'd'].map((name) => at(name, 0.1));
  expect(reading(own, [...worse, at('e', 0.75)], 'higher')).toBe('better than 4 nulls; overlaps e');
});
