/** The training log of a run, as far as it is written, and on while the run goes on. It must not know how it is drawn. */
import type { ListedRun, Progress } from '../../../src/explorer/catalogueSchema.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { validate } from '../../../src/formats/validate.ts';
import { type MetricsLine, metricsLineSchema } from '../../../src/runs/schema.ts';
import { DataError, fetchText, fileAddress } from '../data/fetch.ts';

export async function readTrainingLog(run: ListedRun): Promise<MetricsLine[]> {
  const name = `${run.path}/metrics.jsonl`;
  return parseTrainingLog(await fetchText(fileAddress(run.path, 'metrics.jsonl'), name), name);
}

/** A last line that is still being written has no end, and is left for the next time. */
export function parseTrainingLog(text: string, name: string): MetricsLine[] {
  const lines = text.split('\n').slice(0, -1).filter(Boolean);
  return lines.map((line, i) => {
    try {
      return validate(metricsLineSchema, JSON.parse(line), `${name}, line ${i + 1}`);
    } catch (error) {
      const reason = error instanceof InputError ? error.message : `${name}, line ${i + 1}: not JSON`;
      throw new DataError(reason);
    }
  });
}

/** `lines` with what a run has told of since. */
export function continued(lines: readonly MetricsLine[], told: Progress | undefined): readonly MetricsLine[] {
  if (told === undefined || told.step <= (lines.at(-1)?.step ?? -1)) return lines;
  const { step, tokens, loss, fvu, l0, dead } = told;
  return [...lines, { step, tokens, loss, fvu, l0, dead, auxLoss: 0, gradientNorm: 0, learningRate: 0 }];
}
