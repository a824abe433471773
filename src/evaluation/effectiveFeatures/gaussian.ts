/**
 * Activations without features: normals with the mean and the covariance of a source, in as many rows of as many
 * documents. What a measure says of them it says of second moments alone. It must not know what is measured.
 */
import { type ActivationSource, allocateRows, checkSequences } from '../../activations/source.ts';
import type { Backend } from '../../kernels/backend.ts';
import { cholesky } from '../../math/cholesky.ts';
import { Random } from '../../math/random.ts';
import { NormalStream } from '../../math/ziggurat.ts';

/** Sequences in memory at once. */
const SEQUENCES = 64;
/** Added to each variance, as a share of their mean, for a covariance that has no full rank. */
const RIDGE = 1e-6;

/** The first two moments of a source. */
export interface Moments {
  readonly rows: number;
  /** `[width]` */
  readonly mean: Float64Array;
  /** `[width, width]` */
  readonly covariance: Float64Array;
}

/** Reads all of a source once. */
export async function measureMoments(backend: Backend, source: ActivationSource): Promise<Moments> {
  const { width, sequences, totalRows } = source;
  const mean = new Float64Array(width);
  const covariance = new Float64Array(width * width);
  const out = new Float32Array(width * width);
  for (let first = 0; first < sequences; first += SEQUENCES) {
    const count = Math.min(SEQUENCES, sequences - first);
    const { activations: a, rows } = await source.read(Array.from({ length: count }, (_, i) => first + i));
    await backend.transposedProduct({ a, b: a, rows, aWidth: width, bWidth: width, out });
    for (let i = 0; i < out.length; i++) covariance[i] += out[i] / totalRows;
    for (let i = 0; i < a.length; i++) mean[i % width] += a[i] / totalRows;
  }
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) covariance[i * width + j] -= mean[i] * mean[j];
  return { rows: totalRows, mean, covariance };
}

/** Normals of these moments in the place of the rows of `source`; sequence s is drawn from the stream `(seed, 'gaussian', s)`. */
export function gaussianSource(
  backend: Backend,
  source: ActivationSource,
  { mean, covariance }: Moments,
  seed: number,
): ActivationSource {
  const { width } = source;
  let trace = 0;
  for (let i = 0; i < width; i++) trace += covariance[i * width + i];
  const factor = cholesky(
    covariance.map((value, at) =>
      at % (width + 1) === 0 ? value + (RIDGE * trace) / width + Number.MIN_VALUE : value,
    ),
    width,
  );
  const weight = backend.pack(Float32Array.from(factor), width, width);
  const bias = Float32Array.from(mean);
  return {
    ...source,
    rowsOf: (sequence) => source.rowsOf(sequence),
    documentOf: (sequence) => source.documentOf(sequence),
    async read(asked) {
      checkSequences(asked, source.sequences);
      const result = allocateRows(
        Array.from(asked).reduce((sum, sequence) => sum + source.rowsOf(sequence), 0),
        width,
      );
      const x = new Float32Array(result.activations.length);
      let row = 0;
      for (let place = 0; place < asked.length; place++) {
        const sequence = asked[place];
        const rows = source.rowsOf(sequence);
        const normals = new Float64Array(rows * width);
        new NormalStream(new Random(seed, 'gaussian', `${sequence}`)).fill(normals);
        x.set(normals, row * width);
        result.sequences.fill(sequence, row, row + rows);
        result.documents.fill(source.documentOf(sequence), row, row + rows);
        for (let r = 0; r < rows; r++) result.positions[row + r] = r;
        row += rows;
      }
      await backend.linear({ x, rows: row, weight, bias, out: result.activations });
      return result;
    },
  };
}
