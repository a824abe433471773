/** A transformer of two layers with random weights, on the reference backend. */
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { createTransformer, type Transformer } from '../../src/models/transformer.ts';

export function tinyModel(seed = 0, context = 12): Transformer {
  const [layers, width, mlpWidth, vocabulary] = [2, 8, 12, 16];
  const random = new Random(seed, 'tiny');
  const normal = (size: number, sd = 0.4): Float32Array => {
    const values = new Float32Array(size);
    random.fillNormal(values, sd);
    return values;
  };
  const ones = (): Float32Array => new Float32Array(width).fill(1);
  return createTransformer(
    createReferenceBackend(),
    {
      name: 'tiny',
      layers,
      width,
      heads: 2,
      headWidth: 4,
      mlpWidth,
      vocabulary,
      context,
      epsilon: 1e-5,
      ropeTheta: 10000,
      bos: 1,
    },
    {
      embedding: normal(vocabulary * width, 1),
      blocks: Array.from({ length: layers }, () => ({
        normAttention: ones(),
        q: normal(width * width),
        k: normal(width * width),
        v: normal(width * width),
        o: normal(width * width),
        normMlp: ones(),
        gate: normal(mlpWidth * width),
        up: normal(mlpWidth * width),
        down: normal(width * mlpWidth),
      })),
      normFinal: ones(),
    },
  );
}
