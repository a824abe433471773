/** The experiments, in the order in which they are told. */
import { InputError } from '../formats/errors.ts';
import { capacityAllocation } from './capacityAllocation.ts';

import { composed } from './composed.ts';
import { compositionDetection } from './compositionDetection.ts';
import { compressionBits } from './compressionBits.ts';

import { compressionCooccurrence } from './compressionCooccurrence.ts';
import { compressionCorrelation } from './compressionCorrelation.ts';

import { compressionFeatures } from './compressionFeatures.ts';
import { compressionPrediction } from './compressionPrediction.ts';
import { donohoTanner } from './donohoTanner.ts';
import { effectiveFeatures } from './effectiveFeatures.ts';
import type { Experiment } from './experiment.ts';
import { fiveFeatures } from './fiveFeatures.ts';
import { kurtosis } from './kurtosis.ts';
import { layerOf512 } from './layerOf512.ts';
import { magnitude } from './magnitude.ts';
import { overlapLaw } from './overlapLaw.ts';
import { pairs } from './pairs.ts';
import { phaseBoundary } from './phaseBoundary.ts';
import { rightSparsity } from './rightSparsity.ts';
import { sparseButWrong } from './sparseButWrong.ts';
import { stickyDimensions } from './stickyDimensions.ts';

export const EXPERIMENTS: readonly Experiment[] = [
  fiveFeatures,
  phaseBoundary,
  stickyDimensions,
  pairs,
  magnitude,
  capacityAllocation,
  kurtosis,
  layerOf512,
  overlapLaw,
  donohoTanner,
  compressionFeatures,
  compressionCorrelation,
  compressionCooccurrence,
  compressionBits,
  compressionPrediction,
  effectiveFeatures,
  sparseButWrong,
  composed,
  compositionDetection,
  rightSparsity,
];

/** InputError where there is none of this name. */
export function experimentOf(name: string): Experiment {
  const found = EXPERIMENTS.find((one) => one.name === name);
  if (found) return found;
  const names = EXPERIMENTS.map((one) => one.name);
  throw new InputError(`there is no experiment ${name}; expected one of ${names.join(', ')}`);
}
