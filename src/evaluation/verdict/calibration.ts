/** What `npm run evidence` fitted; not fitted yet. */
import type { VerdictModel } from './model.ts';

export const CALIBRATION: VerdictModel = {
  inputs: [],
  means: [],
  deviations: [],
  intercept: 0,
  slopes: [],
  calibration: { scores: [0, 1], probabilities: [0, 1] },
  falseScores: [0, 1],
  trueScores: [0, 1],
};
