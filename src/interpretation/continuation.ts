/**
 * A text as the model goes on with it, and as it goes on while latents are edited, side by side: both draw from the same
 * random stream, so that they differ only by what the edits do.
 */
import { InputError } from '../formats/errors.ts';
import { blocksBefore } from '../models/hooks.ts';
import { samplingStream } from '../models/sampling.ts';
import type { Edit } from '../models/transformer.ts';
import { checkEdits, type LatentEdit } from './latentEdits.ts';
import { FINAL, promptTokens, type ShownToken } from './promptReading.ts';
import { movesOf, type Steered } from './steering.ts';

export interface Continuation {
  /** What was written; a BOS, which ends the text, is not in it. */
  readonly tokens: readonly ShownToken[];
  readonly text: string;
  /** Whether the model ended the text. */
  readonly ended: boolean;
}

export interface ContinuationOptions {
  /** To be written at most. */
  readonly tokens: number;
  /** 0 takes the likeliest token each time. */
  readonly temperature: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/**
 * `text` continued twice: plain, as `sampleTokens` draws its first sequence of this seed, and with `edits` made at every token
 * but BOS, also at those that are written, unless an edit names its positions.
 */
export async function continuePrompt(
  steered: Steered,
  text: string,
  edits: readonly LatentEdit[],
  options: ContinuationOptions,
): Promise<{ plain: Continuation; steered: Continuation }> {
  const { model, tokenizer, dictionary } = steered;
  checkOptions(options);
  const { tokens: most, temperature, seed, signal } = options;
  const prompt = promptTokens(steered, text, most);
  checkEdits(edits, dictionary.latents, prompt.length + most);
  const random = samplingStream(seed, 0);
  const write = isStepwise(steered)
    ? stepByStep(steered, edits, prompt.length + most)
    : anewEachTime(steered, edits);
  const both = [0, 1].map(() => ({ written: [] as number[], ended: false }));
  const drawn = new Int32Array(2);
  let final = await write(prompt, prompt);
  for (let i = 1; ; i++) {
    signal?.throwIfAborted();
    const uniforms = new Float32Array(2).fill(random.uniformFloat32());
    await model.draw(final, { temperature, uniforms, out: drawn });
    both.forEach((side, s) => {
      side.ended ||= drawn[s] === tokenizer.bos;
      if (!side.ended) side.written.push(drawn[s]);
    });
    if (i === most || both.every(({ ended }) => ended)) break;
    final = await write(drawn.subarray(0, 1), drawn.subarray(1));
  }
  const before = tokenizer.decode(prompt).length;
  const [plain, edited] = both.map(({ written, ended }) => ({
    tokens: written.map((id) => ({ id, text: tokenizer.text(id) })),
    text: tokenizer.decode([...prompt, ...written]).slice(before),
    ended,
  }));
  return { plain, steered: edited };
}

function checkOptions({ tokens, temperature, seed }: ContinuationOptions): void {
  const refuse = (field: string, found: number, expected: string): never => {
    throw new InputError(`${field}: found ${found}, expected ${expected}`);
  };
  if (!(Number.isInteger(tokens) && tokens >= 1)) refuse('tokens', tokens, 'a whole number of at least 1');
  if (!(temperature >= 0 && temperature < Infinity))
    refuse('temperature', temperature, 'a number of at least 0');
  if (!Number.isSafeInteger(seed)) refuse('seed', seed, 'a whole number');
}

/**
 * Appends tokens, as many to the plain text as to the edited one; gives `ln_final.hook_normalized [2, d]` at the last of each.
 */
type Writer = (plain: Int32Array, edited: Int32Array) => Promise<Float32Array>;

/** Whether what is edited lies between blocks, where the decoder can be halted. */
function isStepwise({ model, input, output }: Steered): boolean {
  return input === output && blocksBefore(model.config, output) !== undefined;
}

function stepByStep(
  { model, dictionary, output }: Steered,
  edits: readonly LatentEdit[],
  capacity: number,
): Writer {
  let position = 0;
  const edit: Edit = async (residual, { width }) => {
    if (position === 0) return;
    const row = residual.subarray(width);
    add(row, (await movesOf(model.backend, dictionary, row.slice(), position, edits)).output);
  };
  const decoder = model.decoder(2, capacity, { [output]: edit });
  return async (plain, edited) => {
    let final: Float32Array = new Float32Array();
    for (let i = 0; i < plain.length; i++) {
      final = await decoder.step(Int32Array.of(plain[i], edited[i]));
      position++;
    }
    return final;
  };
}

/** Runs the model over the whole text for each token: slower, and at every hook point. */
function anewEachTime({ model, dictionary, input, output }: Steered, edits: readonly LatentEdit[]): Writer {
  const texts: number[][] = [[], []];
  /** What each token's activation is moved by, from the first after BOS on: it stays, whatever follows. */
  const moved: Float32Array[] = [];
  return async (plain, edited) => {
    texts[0].push(...plain);
    texts[1].push(...edited);
    const { length } = texts[0];
    const { width, outputWidth } = dictionary;
    const read: Edit = async (activation) => {
      const first = 1 + moved.length;
      const x = activation.slice((length + first) * width, 2 * length * width);
      const { output: moves } = await movesOf(model.backend, dictionary, x, first, edits);
      for (let at = 0; at < moves.length; at += outputWidth) moved.push(moves.subarray(at, at + outputWidth));
    };
    const change: Edit = (activation) => {
      moved.forEach((move, i) => {
        add(activation.subarray((length + 1 + i) * outputWidth), move);
      });
    };
    const both: Edit = async (activation, point) => {
      await read(activation, point);
      await change(activation, point);
    };
    const result = await model.run(Int32Array.from(texts.flat()), {
      batch: 2,
      length,
      capture: [FINAL],
      edit: input === output ? { [input]: both } : { [input]: read, [output]: change },
    });
    const final = result.get(FINAL)!;
    const d = model.config.width;
    const ends = [length, 2 * length].map((end) => final.subarray((end - 1) * d, end * d));
    return Float32Array.from([...ends[0], ...ends[1]]);
  };
}

/** Adds `move` to the front of `row`, in place. */
function add(row: Float32Array, move: Float32Array): void {
  for (let i = 0; i < move.length; i++) row[i] += move[i];
}
