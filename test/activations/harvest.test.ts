import { describe, expect, test } from 'vitest';
import { buildCorpus, type Corpus, sequence, sequenceCount } from '../../src/activations/corpus.ts';
import { modelSource } from '../../src/activations/harvest.ts';
import { shuffledBatches } from '../../src/activations/shuffle.ts';
import { InputError } from '../../src/formats/errors.ts';
import { Random } from '../../src/math/random.ts';
import type { Transformer } from '../../src/models/transformer.ts';
import { allSequences, collect, watched } from './helpers.ts';
import { tinyModel } from './tinyModel.ts';

/** Documents of 1 to 30 tokens: sequences of 2 to 12. */
function raggedCorpus(documents: number): Promise<Corpus> {
  const random = new Random(1, 'corpus');
  return buildCorpus({
    name: 'ragged',
    describe: () => 'random tokens',
    modelGenerated: false,
    context: 12,
    bos: 1,
    documents: Array.from({ length: documents }, () =>
      Int32Array.from({ length: 1 + random.below(30) }, () => 2 + random.below(14)),
    ),
  });
}

describe('modelSource', () => {
  test.each(['blocks.0.hook_resid_post', 'blocks.1.mlp.hook_post', 'ln_final.hook_normalized'])(
    'gives what the model has at %s, one sequence at a time, without position 0',
    async (hook) => {
      const model = tinyModel();
      const corpus = await raggedCorpus(20);
      const indices = allIndices(corpus).filter((i) => i % 3 !== 0);
      const source = modelSource(model, corpus, indices, hook);
      expect(source.sequences).toBe(indices.length);
      // More sequences than a run takes, and out of order.
      const asked = new Random(2).permutation(indices.length);
      const rows = await source.read(asked);
      let at = 0;
      for (const s of asked) {
        const tokens = sequence(corpus, indices[s]);
        const alone = await model.run(tokens, { batch: 1, length: tokens.length, capture: [hook] });
        const expected = alone.get(hook)!.subarray(source.width);
        const end = at + tokens.length - 1;
        expect(source.rowsOf(s)).toBe(tokens.length - 1);
        expect(rows.activations.subarray(at * source.width, end * source.width)).toEqual(expected);
        expect(rows.tokens.subarray(at, end)).toEqual(tokens.subarray(1));
        expect([...rows.positions.subarray(at, end)]).toEqual([...tokens.keys()].slice(1));
        expect(new Set(rows.sequences.subarray(at, end))).toEqual(new Set([indices[s]]));
        expect(new Set(rows.documents.subarray(at, end))).toEqual(new Set([corpus.documents[indices[s]]]));
        at = end;
      }
      expect([rows.rows, source.totalRows]).toEqual([at, at]);
    },
  );

  test('runs a few sequences at once, and no more of the model than to the hook', async () => {
    const model = tinyModel();
    const runs: { batch: number; stopAt?: string }[] = [];
    const spied: Transformer = {
      ...model,
      run: (tokens, options) => {
        runs.push(options);
        return model.run(tokens, options);
      },
    };
    const corpus = await raggedCorpus(30);
    const hook = 'blocks.0.hook_resid_mid';
    const source = modelSource(spied, corpus, allIndices(corpus), hook);
    await source.read(allSequences(source));
    expect(runs.length).toBe(Math.ceil(sequenceCount(corpus) / 16));
    for (const { batch, stopAt } of runs) {
      expect(batch).toBeLessThanOrEqual(16);
      expect(stopAt).toBe(hook);
    }
  });

  test('is shuffled without reading more than a window at once', async () => {
    const corpus = await raggedCorpus(40);
    const source = watched(modelSource(tinyModel(), corpus, allIndices(corpus), 'hook_embed'));
    const batches = shuffledBatches(source, { batch: 16, windowRows: 100, seed: 0, epoch: 0 });
    expect((await collect(batches)).length).toBe(batches.batches);
    expect(Math.max(...source.reads)).toBeLessThan(130);
  });

  test('names the hook point, the sequence and the position of a NaN', async () => {
    const model = tinyModel();
    const hook = 'blocks.1.hook_resid_post';
    const broken: Transformer = {
      ...model,
      async run(tokens, options) {
        const captured = await model.run(tokens, options);
        captured.get(hook)![8 * 3 + 2] = NaN;
        return captured;
      },
    };
    const corpus = await buildCorpus({
      name: 'one',
      describe: () => '',
      modelGenerated: false,
      context: 12,
      bos: 1,
      documents: [Int32Array.of(2, 3), Int32Array.of(4, 5, 6, 7)],
    });
    const problem = await modelSource(broken, corpus, [1], hook)
      .read([0])
      .catch((error) => error);
    expect(problem).toBeInstanceOf(InputError);
    expect(problem.message).toContain(`hook ${hook}: the activation at sequence 1, position 3 is NaN`);
  });

  test('refuses hook points that are not there or not by token, and sequences too long', async () => {
    const corpus = await raggedCorpus(5);
    expect(() => modelSource(tinyModel(), corpus, [0], 'blocks.2.hook_resid_post')).toThrow(InputError);
    expect(() => modelSource(tinyModel(), corpus, [0], 'blocks.1.attn.hook_pattern')).toThrow(
      'choose another, for example blocks.1.hook_resid_post',
    );
    expect(() => modelSource(tinyModel(0, 6), corpus, allIndices(corpus), 'hook_embed')).toThrow(
      /sequence \d+ has \d+ tokens, model tiny takes 6/,
    );
    expect(() => modelSource(tinyModel(), corpus, [99], 'hook_embed')).toThrow(RangeError);
  });
});

function allIndices(corpus: Corpus): number[] {
  return [...corpus.documents.keys()];
}
