/** What stands on the lab's page: the text, the edits, and the server's answers to them, each asked anew when they change. */
import type { ContinueAnswer, Edit, EffectAnswer, ReadAnswer } from '../../../src/server/labSchema.ts';
import { FIRST_WRITING, type LabState, labState, type Writing } from './address.ts';
import { askContinuation, askEffect, askReading } from './ask.ts';
import { editsWithin } from './edits.ts';
import { latest } from './latest.ts';

/** Of typing, in milliseconds, before it is asked. */
const PAUSE = 150;

export class Session implements LabState {
  readonly run: string;
  text = $state('');
  edits: readonly Edit[] = $state.raw([]);
  writing: Writing = $state.raw(FIRST_WRITING);
  /** The token whose latents are shown. */
  chosen = $state(0);
  reading: ReadAnswer | undefined = $state.raw();
  effect: EffectAnswer | undefined = $state.raw();
  written: ContinueAnswer | undefined = $state.raw();
  isWriting = $state(false);
  error: string | undefined = $state();
  #read = latest(PAUSE);
  #affect = latest(PAUSE / 2);
  #write = latest(0);

  constructor(run: string) {
    this.run = run;
  }

  /** What an address says. */
  begin(query: URLSearchParams): void {
    const { text, edits, writing } = labState(query);
    Object.assign(this, { text, edits, writing });
    void this.read();
  }

  type(text: string): void {
    this.text = text;
    void this.read();
  }

  edit(edits: readonly Edit[]): void {
    this.edits = edits;
    void this.affect();
  }

  /** How much is to be written, and how. */
  plan(writing: Writing): void {
    this.writing = writing;
    this.#forget();
  }

  /** Asks what the text makes of the dictionary, then what the edits do. */
  async read(): Promise<void> {
    this.#forget();
    const { run, text } = this;
    const reading = await this.#told(
      () => this.#read((signal) => askReading({ run, text }, signal)),
      // What stands there is of another text.
      () => (this.reading = undefined),
    );
    if (reading === undefined) return;
    if (reading.tokens.length !== this.reading?.tokens.length) this.chosen = reading.tokens.length - 1;
    this.reading = reading;
    await this.affect();
  }

  /** Asks what the edits do. */
  async affect(): Promise<void> {
    this.#forget();
    const { run, text, sent } = this;
    const effect = await this.#told(() =>
      this.#affect(async (signal) => ({
        found: sent.length === 0 ? undefined : await askEffect({ run, text }, sent, signal),
      })),
    );
    if (effect !== undefined) this.effect = effect.found;
  }

  /** Asks how the text goes on, plain and edited. */
  async write(): Promise<void> {
    const { run, text, sent, writing } = this;
    this.isWriting = true;
    this.written = await this.#told(() =>
      this.#write((signal) => askContinuation({ run, text }, sent, writing, signal)),
    );
    this.isWriting = false;
  }

  /** The edits that the text has a place for. */
  get sent(): Edit[] {
    return editsWithin(this.edits, this.reading?.tokens.length ?? 0);
  }

  /** What was written is of other edits. */
  #forget(): void {
    this.written = undefined;
    if (this.isWriting) void this.#write(async () => undefined);
  }

  /** What `work` gives; undefined where it was overtaken, or failed: then the page says why. */
  async #told<T>(work: () => Promise<T | undefined>, onFailure = () => {}): Promise<T | undefined> {
    try {
      const result = await work();
      if (result !== undefined) this.error = undefined;
      return result;
    } catch (error) {
      this.error = (error as Error).message;
      onFailure();
      return undefined;
    }
  }
}
