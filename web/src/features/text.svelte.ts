/** The texts of the rows in sight, asked for as they come into sight and kept. It must not know how they are drawn. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import type { Feature } from '../../../src/runs/schema.ts';
import { readPlaces } from '../data/tables.ts';

export type Texts = Pick<Feature, 'topTokens' | 'promotedTokens'>;

/** Rows whose texts are kept at most. */
const MOST = 4096;

export class RowTexts {
  /** By row. */
  known: ReadonlyMap<number, Texts> = $state.raw(new Map());
  /** Why there are none. */
  error: string | undefined = $state();
  readonly #run: ListedRun;
  #wanted: readonly number[] = [];
  #asking = false;

  constructor(run: ListedRun) {
    this.#run = run;
  }

  /** One question at a time, and the next one for the rows that are in sight by then. */
  async want(rows: readonly number[]): Promise<void> {
    this.#wanted = rows;
    if (this.#asking || this.error !== undefined) return;
    const missing = rows.filter((row) => !this.known.has(row));
    if (missing.length === 0) return;
    this.#asking = true;
    try {
      const texts = await readPlaces(
        this.#run,
        'features.parquet',
        FEATURE_COLUMNS,
        ['topTokens', 'promotedTokens'],
        missing,
      );
      const kept = this.known.size > MOST ? [] : this.known;
      this.known = new Map([...kept, ...missing.map((row, i): [number, Texts] => [row, texts[i]])]);
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.#asking = false;
    void this.want(this.#wanted);
  }
}
