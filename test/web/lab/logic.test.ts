/** The lab's page without its looks: edits, addresses, what is shown, and that only the latest question is answered. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Edit, EffectAnswer, ReadAnswer } from '../../../src/server/labSchema.ts';
import { FIRST_TEXT, FIRST_WRITING, labQuery, labState } from '../../../web/src/lab/address.ts';
import { askEffect, askReading } from '../../../web/src/lab/ask.ts';
import {
  editsWithin,
  firstEdit,
  placed,
  sliderOf,
  withEdit,
  withoutLatent,
} from '../../../web/src/lab/edits.ts';
import { latest } from '../../../web/src/lab/latest.ts';
import {
  divergencePlaces,
  divergenceText,
  heats,
  inCommon,
  probabilityRows,
  proseText,
  tokenText,
} from '../../../web/src/lab/shown.ts';

const nothing = new URLSearchParams();
const edit: fc.Arbitrary<Edit> = fc
  .record({
    kind: fc.constantFrom('ablate' as const, 'scale' as const, 'add' as const, 'set' as const),
    latent: fc.nat({ max: 100_000 }),
    value: fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0),
    positions: fc.option(fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 3 })),
  })
  .map(({ kind, latent, value, positions }) => ({
    ...(kind === 'ablate' ? { kind, latent } : { kind, latent, value }),
    ...(positions && { positions }),
  }));

describe('an address', () => {
  test('brings back text, edits and how is written', () => {
    fc.assert(
      fc.property(
        fc.record({
          text: fc.string({ unit: 'grapheme' }),
          edits: fc.array(edit, { maxLength: 5 }),
          writing: fc.record({
            tokens: fc.integer({ min: 1, max: 256 }),
            temperature: fc.double({ min: 0, max: 10, noNaN: true }).map((value) => value + 0),
            seed: fc.maxSafeInteger().map((value) => value + 0),
          }),
        }),
        (state) => {
          const back = labState(new URLSearchParams(labQuery(state).toString()));
          expect(back).toEqual(state);
        },
      ),
    );
  });

  test('that says nothing, or nothing that can be understood, is as at the beginning', () => {
    const first = { text: FIRST_TEXT, edits: [], writing: FIRST_WRITING };
    expect(labState(nothing)).toEqual(first);
    const wrong =
      'edits=add_1*explode_2*ablate_x*ablate_1_2*add_1_NaN*ablate_3_at_x*&tokens=0&temperature=-1&seed=0.5';
    expect(labState(new URLSearchParams(wrong))).toEqual(first);
    expect(labState(new URLSearchParams('text=&edits=add_1*ablate_7'))).toMatchObject({
      text: '',
      edits: [{ kind: 'ablate', latent: 7 }],
    });
  });
});

describe('edits', () => {
  const list: Edit[] = [
    { kind: 'ablate', latent: 3 },
    { kind: 'add', latent: 5, value: 2, positions: [4] },
  ];
  test('are one for each latent, in the order in which they were first made', () => {
    const scaled = firstEdit('scale', 3, 9);
    expect(withEdit(list, scaled)).toEqual([scaled, list[1]]);
    expect(withEdit(list, firstEdit('add', 8, 1.234))).toEqual([
      ...list,
      { kind: 'add', latent: 8, value: 1.2 },
    ]);
    expect(withoutLatent(list, 3)).toEqual([list[1]]);
  });
  test('are at one token or at all', () => {
    expect(placed(list[1], undefined)).toEqual({ kind: 'add', latent: 5, value: 2 });
    expect(placed(list[0], 2)).toEqual({ kind: 'ablate', latent: 3, positions: [2] });
    expect(editsWithin(list, 4)).toEqual([list[0]]);
    expect(editsWithin(list, 5)).toEqual(list);
  });
  test('begin within their slider', () => {
    for (const kind of ['scale', 'add', 'set'] as const) {
      for (const strength of [0.01, 1, 50]) {
        const { min, max, step } = sliderOf(kind, strength);
        const { value } = firstEdit(kind, 0, strength) as { value: number };
        expect(value).toBeGreaterThan(min);
        expect(value).toBeLessThan(max);
        expect(step).toBeGreaterThan(0);
      }
    }
  });
});

const token = (id: number, total = 0) => ({ id, text: `t${id}`, active: 1, total, latents: [], fvu: null });
const effect = (kl: number, draws: number[]): EffectAnswer => ({
  position: 1,
  tokens: [{ id: 1, text: 'a', before: 0.5, after: 0.25 }],
  kl,
  null: { median: draws[1], low: draws[0], high: draws[2], draws },
});

describe('what is shown', () => {
  test('heat is a share of the warmest token', () => {
    expect(heats([token(0), token(1, 2), token(2, 8)])).toEqual([0, 0.25, 1]);
    expect(heats([token(0)])).toEqual([0]);
  });
  test('tokens have nothing unseen in them', () => {
    expect(tokenText(' cat')).toBe('·cat');
    expect(tokenText('\n')).toBe('↵');
    expect(tokenText('a\u202eb')).toBe('a⟨U+202E⟩b');
    expect(tokenText(' ')).toBe('·');
    expect(tokenText('')).toBe('∅');
    expect(tokenText('<b>')).toBe('<b>');
    expect(proseText(' a\n\u202eb')).toBe(' a\n⟨U+202E⟩b');
  });
  test('a divergence is beside its null', () => {
    expect(divergenceText(effect(0.5, [0.1, 0.2, 0.3]))).toMatch(/0\.500 nats, more than all 3 random/);
    expect(divergenceText(effect(0.2, [0.1, 0.2, 0.3]))).toMatch(/more than 1 of 3/);
    expect(divergenceText(effect(0, [0, 0, 0]))).toMatch(/change no activation/);
    expect(divergencePlaces(effect(0.5, [0.1, 0.2, 1]))).toEqual({ own: 0.5, draws: [0.1, 0.2, 1] });
    expect(divergencePlaces(effect(0, [0, 0, 0]))).toEqual({ own: 0, draws: [0, 0, 0] });
  });
  test('probabilities are as they are without edits, and before and after with them', () => {
    const reading: ReadAnswer = { tokens: [], next: [{ id: 2, text: 'b', probability: 0.75 }] };
    expect(probabilityRows(reading, undefined)).toEqual([
      { id: 2, text: 'b', before: 0.75, after: undefined },
    ]);
    expect(probabilityRows(reading, effect(1, [1, 1, 1]))[0]).toMatchObject({ before: 0.5, after: 0.25 });
  });
  test('two texts part where their tokens do', () => {
    const of = (...ids: number[]) => ids.map((id) => ({ id }));
    expect(inCommon(of(1, 2, 3), of(1, 2, 4))).toBe(2);
    expect(inCommon(of(1, 2), of(1, 2, 4))).toBe(2);
    expect(inCommon(of(1, 2, 4), of(1, 2))).toBe(2);
    expect(inCommon([], of(1))).toBe(0);
  });
});

describe('of questions', () => {
  test('only the latest is answered, and one that fails says so', async () => {
    const ask = latest(5);
    const asked: string[] = [];
    const answer = (name: string) => async () => {
      asked.push(name);
      return name;
    };
    const first = ask(answer('first'));
    const second = ask(answer('second'));
    expect(await Promise.all([first, second])).toEqual([undefined, 'second']);
    expect(asked).toEqual(['second']);
    let open = () => {};
    const slow = ask(async (signal) => {
      await new Promise<void>((resolve) => (open = resolve));
      signal.throwIfAborted();
      return 'slow';
    });
    await vi.waitFor(() => expect(open).not.toBeUndefined());
    await new Promise((resolve) => setTimeout(resolve, 20));
    const third = ask(answer('third'));
    open();
    expect(await Promise.all([slow, third])).toEqual([undefined, 'third']);
    await expect(
      ask(async () => {
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
  });

  afterEach(() => vi.unstubAllGlobals());
  const answering = (status: number, body: string) => {
    vi.stubGlobal('document', { baseURI: 'http://localhost/' });
    const fetched = vi.fn(async (_address: URL, _init: RequestInit) => new Response(body, { status }));
    vi.stubGlobal('fetch', fetched);
    return fetched;
  };
  const asked = { run: 'a/b', text: '"x"' };
  const { signal } = new AbortController();

  test('the answer is checked', async () => {
    const good = effect(0.5, [0.1, 0.2, 0.3]);
    const fetched = answering(200, JSON.stringify(good));
    expect(await askEffect(asked, [{ kind: 'ablate', latent: 1 }], signal)).toEqual(good);
    const [address, init] = fetched.mock.calls[0];
    expect(address.href).toBe('http://localhost/api/lab/effect');
    expect(JSON.parse(init.body as string)).toEqual({ ...asked, edits: [{ kind: 'ablate', latent: 1 }] });
  });
  test.each([
    [400, '{"error":"text: too long"}', /^text: too long$/],
    [502, 'oops', /the server answered 502/],
    [200, '{"tokens":1}', /answer to read/],
    [200, 'oops', /answer to read/],
  ])('what is wrong is said: %i %s', async (status, body, message) => {
    answering(status, body);
    await expect(askReading(asked, signal)).rejects.toThrow(message);
  });
});
