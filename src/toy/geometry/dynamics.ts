/**
 * How the geometry of toy models comes about during training: dimensionalities jump where the loss drops (Elhage et al. 2022,
 * arXiv 2209.10652, "Superposition and Learning Dynamics"). It must not know how training goes on.
 */

import { encoderOf, type ToyModel } from '../models/model.ts';
import type { ToyLogEntry } from '../models/train.ts';
import { featureGeometry } from './features.ts';

/** One instance at one step. */
export interface DynamicsPoint {
  readonly step: number;
  readonly loss: number;
  /** D_i, `[features]`. */
  readonly dimensionality: Float64Array;
}

/** What `onLog` calls, and what it has seen so far: `points[instance]`, in the order of the steps. */
export function recordDynamics(): {
  onLog: (entry: ToyLogEntry, model: ToyModel) => void;
  points: DynamicsPoint[][];
} {
  const points: DynamicsPoint[][] = [];
  return {
    points,
    onLog({ step, losses }, model) {
      const { features, hidden } = model.architecture;
      losses.forEach((loss, k) => {
        const values = encoderOf(model, k);
        const { dimensionality } = featureGeometry({ values, features, hidden });
        (points[k] ??= []).push({ step, loss, dimensionality });
      });
    },
  };
}
