/** Dictionaries and nulls trained side by side on one world: what is frozen, mixed or seeded apart is so for that one alone. */
import { expect, it } from 'vitest';
import { familyOptions } from '../../src/dictionaries/families/index.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { trainDictionaries } from '../../src/pipeline/toyDictionaries.ts';
import { orthogonalToy } from '../../src/toy/orthogonal.ts';

it('trains nulls beside dictionaries, each with what it is told', async () => {
  const dictionary = familyOptions.parse({ family: 'batchtopk', latents: 40, k: 5 });
  const backend = createNativeBackend();
  const wanted = [
    { dictionary },
    { dictionary, freeze: 'decoder' as const },
    { dictionary, freeze: 'decoder' as const, mixed: true },
    { dictionary, freeze: 'decoder' as const, seed: 9 },
    { dictionary, mixed: true },
    { dictionary: familyOptions.parse({ family: 'l1', latents: 40 }), freeze: 'encoder' as const },
  ];
  const options = { firstBlock: 0, steps: 20, seed: 1, learningRate: 3e-3 };
  const all = await trainDictionaries(backend, orthogonalToy(1), wanted, options);
  const [own, frozen, frozenMixed, otherSeed, mixed] = all;
  expect(frozen.decoderWeight).toEqual(frozenMixed.decoderWeight);
  expect(frozen.encoderWeight).not.toEqual(frozenMixed.encoderWeight);
  for (const other of [own, otherSeed]) expect(other.decoderWeight).not.toEqual(frozen.decoderWeight);
  expect(mixed.decoderWeight).not.toEqual(own.decoderWeight);
  const [alone] = await trainDictionaries(backend, orthogonalToy(1), [{ dictionary }], options);
  expect(alone).toEqual(own);
});
