/**
 * What toy models of superposition come to at full size, beside what the literature and an earlier PyTorch run found:
 *
 *   node bench/toyModels.mjs            all experiments, some ten minutes
 *   node bench/toyModels.mjs geometry   one of: small, geometry, computation, overlaps
 *
 * Needs `npm run build`. Prints JSON lines.
 */
import { loadBackend } from '../dist/kernels/index.js';
import { featureGeometry } from '../dist/toy/geometry/features.js';
import { neuronGeometry } from '../dist/toy/geometry/neurons.js';
import { meanSquaredOverlap } from '../dist/toy/geometry/overlaps.js';
import { polytopeLines } from '../dist/toy/geometry/polytopes.js';
import { encoderOf, magnitude, reluOutput } from '../dist/toy/models/model.js';
import { ELHAGE, trainToyModels } from '../dist/toy/models/train.js';

const backend = loadBackend();
const rounded = (/** @type {Iterable<number>} */ values, digits = 2) =>
  Array.from(values, (value) => Number(value.toFixed(digits)));
const linspace = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ count) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** @param {import('../src/toy/models/model.ts').ToyModel} model */
function geometries(model) {
  const { features, hidden } = model.architecture;
  return Array.from({ length: model.instances }, (_, k) =>
    featureGeometry({ values: encoderOf(model, k), features, hidden }),
  );
}

const experiments = {
  /** Five features in two dimensions, ten sparsities. */
  async small() {
    const probabilities = linspace(0, 1, 10).map((x) => 20 ** -x);
    const importance = Array.from({ length: 5 }, (_, i) => 0.9 ** i);
    const { model } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: reluOutput(5, 2),
      instances: probabilities.map((_, k) => ({ seed: k, importance })),
      inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
    });
    const found = geometries(model);
    return {
      frobeniusSquared: rounded(found.map(({ norms }) => norms.reduce((sum, norm) => sum + norm ** 2, 0))),
      represented: found.map(({ represented }) => represented),
    };
  },

  /** 200 features of one importance in 20 dimensions, twenty sparsities. */
  async geometry() {
    const probabilities = linspace(0, 1, 20).map((x) => 20 ** -x);
    const { model } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: reluOutput(200, 20),
      instances: probabilities.map((_, k) => ({ seed: k, importance: 1 })),
      inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
    });
    const found = geometries(model);
    return {
      dimensionsPerFeature: rounded(found.map((g) => g.dimensionsPerFeature)),
      nearHalf: found.filter((g) => Math.abs(g.dimensionsPerFeature - 0.5) <= 0.03).length,
      dimensionalitySums: rounded(found.map((g) => g.dimensionality.reduce((sum, d) => sum + d, 0))),
      lines: polytopeLines(found.flatMap((g) => Array.from(g.dimensionality))),
    };
  },

  /** |x| of 100 features with 40 neurons, five sparsities. */
  async computation() {
    const importance = Array.from({ length: 100 }, (_, i) => 0.8 ** i);
    const { model } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: magnitude(100, 40),
      steps: 8000,
      learningRate: 3e-3,
      instances: linspace(0, 4, 5).map((seed) => ({ seed, importance })),
      inputs: { kind: 'independent', probabilities: [1, 0.3, 0.1, 0.03, 0.01], low: -1, high: 1 },
    });
    const found = Array.from({ length: 5 }, (_, k) =>
      neuronGeometry({ values: encoderOf(model, k), features: 100, hidden: 40 }),
    );
    return {
      participation: rounded(
        found.map(({ participation: p }) => p.reduce((sum, x) => sum + x, 0) / p.length),
      ),
      monosemantic: found.map(({ monosemantic }) => monosemantic),
    };
  },

  /** A thousand features, strong and weak superposition, frequencies falling as 1 / i or 1 / i^2. */
  async overlaps() {
    const results = [];
    for (const alpha of [0, 1]) {
      const powers = Array.from({ length: 1000 }, (_, i) => (i + 1) ** -(1 + alpha));
      const total = powers.reduce((sum, p) => sum + p, 0);
      for (const decay of [-1, 0.5]) {
        for (const hidden of [10, 25, 63]) {
          const { model, log } = await trainToyModels(backend, {
            ...ELHAGE,
            architecture: reluOutput(1000, hidden),
            instances: [{ seed: 0, importance: 1 }],
            inputs: {
              kind: 'independent',
              probabilities: [powers.map((p) => p / total)],
              low: 0,
              high: 2,
            },
            batch: 512,
            steps: 2500,
            learningRate: 1e-2,
            schedule: { kind: 'cosine', warmupSteps: 250 },
            decay: { kind: 'signed', decay },
            initialisation: 'scaled',
          });
          const rows = { values: encoderOf(model, 0), features: 1000, hidden };
          const [represented, overlap] = [
            featureGeometry(rows).represented / 1000,
            rounded([meanSquaredOverlap(rows)])[0],
          ];
          results.push({ alpha, decay, hidden, represented, overlap, loss: log.at(-1)?.losses[0] });
        }
      }
    }
    return results;
  },
};

const wanted = process.argv.slice(2);
for (const [name, experiment] of Object.entries(experiments)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const found = await experiment();
  console.log(JSON.stringify({ name, seconds: Math.round((performance.now() - start) / 1000), ...found }));
}
process.exit(0);
