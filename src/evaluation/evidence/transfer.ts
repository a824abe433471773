/**
 * Whether a latent stands for the same in other text: how much more of what other latents leave it explains there than in the
 * text that its dictionary is judged on. It must not know where either text is from.
 */
import type { ActivationSource, Progress } from '../../activations/source.ts';
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { type Component, FEWEST_FIRINGS, worthOf } from './components.ts';
import { firingsOf, sumFirings } from './firing.ts';

/**
 * For each subject the difference of `worth` (see `COMPONENTS`) on the rows of `source` less that on the rows it comes from: 0
 * where the latent holds as well there. Intervals take both to be independent, as documents of two texts are. NaN where it fires fewer
 * than `FEWEST_FIRINGS` times there. `mean [width]` of the activations that dictionaries were trained on.
 */
export async function transferOf(request: {
  backend: Backend;
  subjects: readonly { readonly dictionary: Dictionary; readonly worth: Component }[];
  source: ActivationSource;
  mean: Float32Array;
  seed: number;
  onProgress?: Progress;
}): Promise<Component[]> {
  const { subjects, ...rest } = request;
  const bare = subjects.map(({ dictionary }) => ({ dictionary, counterpartOf: [] }));
  const { sums } = await sumFirings({ ...rest, subjects: bare, counterparts: [] });
  return subjects.map(({ worth: here }, i) => {
    const there = worthOf(sums[i]);
    const firings = firingsOf(sums[i]);
    const value = there.value.map((one, j) => (firings[j] < FEWEST_FIRINGS ? NaN : one - here.value[j]));
    const half = (j: number) => Math.hypot(there.high[j] - there.value[j], here.high[j] - here.value[j]);
    return {
      value,
      low: value.map((one, j) => one - half(j)),
      high: value.map((one, j) => one + half(j)),
    };
  });
}
