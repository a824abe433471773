/**
 * The library, as a user sees it: everything that the command line does can be done from here. What is not
 * exported here may change without notice.
 *
 * Arrays are flat and row-major; shapes, units and errors stand at each function. What is the caller's to mend is
 * thrown as an `InputError`.
 */
// biome-ignore-all assist/source/organizeImports: in the order of the rooms, each under its comment

// Errors that name the file or field, what was found, what was expected.
export { InputError } from './formats/errors.ts';

// Backends: the array operations, by the native addon or in plain TypeScript.
export type { Backend, Precision, SparseRows } from './kernels/backend.ts';
export { loadBackend } from './kernels/index.ts';
export { createNativeBackend, nativeProblem } from './kernels/native.ts';
export { createReferenceBackend } from './kernels/reference.ts';

// Models: decoder transformers that can be looked into and edited at every hook point.
export { checkHook, hookNames, hookWidth } from './models/hooks.ts';
export { readLlama2cModel, readLlama2cTokenizer } from './models/llama2c.ts';
export { type LoadedModel, loadModel } from './models/registry.ts';
export { greedy, sampleTokens } from './models/sampling.ts';
export type { Tokenizer } from './models/tokenizer.ts';
export {
  createTransformer,
  type Edit,
  type RunOptions,
  type Transformer,
  type TransformerConfig,
  type TransformerWeights,
} from './models/transformer.ts';

// Toys: distributions whose features are known, with labels for every sample.
export { additiveDistribution } from './toy/additive.ts';
export { type Amplitude, type Amplitudes, amplitudeMean, UNIT_UNIFORM } from './toy/amplitudes.ts';
export {
  bindingDirections,
  bindingFirings,
  conjunctionFirings,
  groupedLabels,
  pairedGroupFirings,
} from './toy/composition.ts';
export { copulaFirings, lowRankFirings, randomLoadings } from './toy/copula.ts';
export { randomDirections, spreadDirections } from './toy/directions.ts';
export { BLOCK_ROWS, type Distribution, type Entropy, type Samples } from './toy/distribution.ts';
export { drawLaw } from './toy/drawLaw.ts';
export { type ChildGroup, type FiringLaw, type FiringNode, firingLaw } from './toy/firingLaw.ts';
export { zipfBetween, zipfOfL0 } from './toy/frequencies.ts';
export { regularTrees } from './toy/hierarchy.ts';
export { gaplessToy } from './toy/gapless.ts';
export { independentFirings } from './toy/independent.ts';
export { CIRCLE, type Curve, curveFirings, randomCurve } from './toy/manifolds.ts';
export { nabeshimaTree } from './toy/nabeshima.ts';
export { namedDistribution, WORLD_NAMES } from './toy/named.ts';
export { decayingNoise, gaussianNoise, isotropicNoise } from './toy/noise.ts';
export { orthogonalToy } from './toy/orthogonal.ts';
export { pairLift, pairProbabilities } from './toy/pairProbabilities.ts';
export { regimesToy } from './toy/regimes.ts';
export { anticorrelatedSets, correlatedSets, exclusiveSets } from './toy/sets.ts';
export { SYNTH_SAE_BENCH_1K, SYNTH_SAE_BENCH_16K, synthSaeBench } from './toy/synthSaeBench.ts';

// Toy models of superposition, trained many at once, and their geometry.
export type { ToyInitialisation } from './toy/models/initialise.ts';
export {
  encoderOf,
  magnitude,
  reluOutput,
  type ToyArchitecture,
  type ToyKind,
  type ToyModel,
} from './toy/models/model.ts';
export type { ToySchedule } from './toy/models/schedule.ts';
export {
  ELHAGE,
  type IndependentInputs,
  type PerFeature,
  type ToyDecay,
  type ToyInstance,
  type ToyLogEntry,
  type ToyTrained,
  type ToyTraining,
  trainToyModels,
  type WorldInputs,
} from './toy/models/train.ts';
export { distinctDirections, pairCosines } from './toy/geometry/cosines.ts';
export { type FeatureBlock, featureBlocks } from './toy/geometry/blocks.ts';
export { type DynamicsPoint, recordDynamics } from './toy/geometry/dynamics.ts';
export { type FeatureGeometry, featureGeometry } from './toy/geometry/features.ts';
export { type NeuronGeometry, neuronGeometry } from './toy/geometry/neurons.ts';
export { meanSquaredOverlap } from './toy/geometry/overlaps.ts';
export { type PolytopeLine, polytopeLines } from './toy/geometry/polytopes.ts';
export type { FeatureRows } from './toy/geometry/rows.ts';

// Bounds on superposition.
export {
  fewestDimensions,
  mostActive,
  mostFeatures,
  type Signs,
  weakThreshold,
} from './toy/bounds/donohoTanner.ts';
export {
  directionsWithin,
  expectedGreatestCosine,
  expectedNearestCosine,
  tailOfCosine,
} from './toy/bounds/randomDirections.ts';
export {
  amplitudeBits,
  capacityBits,
  dimensionsForBits,
  firingBits,
  gaussianBits,
  linearCodeError,
  sparseBits,
  supportBits,
} from './toy/bounds/rateDistortion.ts';
export { basisPursuit, recoveryRate } from './toy/bounds/recovery.ts';
export { mostEquiangular, welchBound, welchMeanSquare } from './toy/bounds/welch.ts';

// Activations: text, split by document, and what a model makes of it at a hook point.
export { cacheDirectory } from './activations/cache.ts';
export { type CorpusSpec, loadCorpus } from './activations/corpora/index.ts';
export {
  buildCorpus,
  type Corpus,
  documentCount,
  type Split,
  sequence,
  sequenceCount,
  splitByDocument,
  tokenCount,
} from './activations/corpus.ts';
export { modelSource } from './activations/harvest.ts';
export { knownSource } from './activations/knownSource.ts';
export { type ActivationScale, activationScale } from './activations/normalise.ts';
export { shuffledBatches } from './activations/shuffle.ts';
export { openActivations, writeActivations } from './activations/files/index.ts';
export { memorySource } from './activations/memory.ts';
export type { ActivationRows, ActivationSource } from './activations/source.ts';
export { type ActivationStore, openStore, type StoreOrigin, writeStore } from './activations/store.ts';

// Dictionaries: activations as a sum of few directions, in the files of SAELens and its peers.
export { type Dictionary, decode, encode, foldScale, type Selection } from './dictionaries/dictionary.ts';
export {
  type Format,
  type Opened,
  readDictionary,
  WRITABLE_FORMATS,
  type WritableFormat,
  writeDictionary,
} from './dictionaries/interop/index.ts';
export { readSaelens, type SaelensMetadata, writeSaelens } from './dictionaries/interop/saelens.ts';

// Families: what decides which latents fire, and how the loss follows; docs/new-family.md walks through a new one.
export {
  decoderNorms,
  encoderOperands,
  plainLoss,
  type Reconstruction,
  reconstruct,
} from './dictionaries/families/entries.ts';
export {
  type Batch,
  type Family,
  type FamilyOptions,
  GAO,
  type Learned,
  type Loss,
  type Recipe,
} from './dictionaries/families/family.ts';
export { type JaxBatch, type JaxFamily, jaxFamily } from './dictionaries/jaxFamily.ts';
export { type DictionaryOptions, familyNames, familyOf } from './dictionaries/families/index.ts';

// Training: dictionaries on one stream, each resumable to the same bytes.
export type { TrainingOptions } from './training/options.ts';
export { trainingOptions } from './training/recipe.ts';
export { currentDictionary, deadLatents, type TrainingState } from './training/state.ts';
export type { StepMetrics } from './training/step.ts';
export {
  type Arm,
  type ArmMetrics,
  type TrainRequest,
  type TrainResult,
  train,
  trainOne,
} from './training/train.ts';

// Evaluation: a dictionary in the place of the activations, measured with intervals, beside its nulls.
export { effectiveFeatures } from './evaluation/effectiveFeatures/count.ts';
export { type CausalEffects, causalEffects } from './evaluation/evidence/causal.ts';
export { type Companions, companionsOf } from './evaluation/evidence/companions.ts';
export type { Component, Components } from './evaluation/evidence/components.ts';
export { type Evidence, type EvidenceRequest, gatherEvidence } from './evaluation/evidence/evidence.ts';
export { CALIBRATION } from './evaluation/verdict/calibration.ts';
export { verdictInputs } from './evaluation/verdict/inputs.ts';
export { probabilityOf, scoreOf, type VerdictModel } from './evaluation/verdict/model.ts';
export { type LatentVerdict, type Verdicts, verdictsOf } from './evaluation/verdict/verdicts.ts';
export { findPlateau, type Plateau } from './evaluation/effectiveFeatures/plateau.ts';
export {
  type EffectivePoint,
  type EffectiveRequest,
  sweepEffectiveFeatures,
} from './evaluation/effectiveFeatures/sweep.ts';
export { type ErrorParts, type ErrorSplit, type Reading, splitError } from './evaluation/errorSplit.ts';
export { type DirectionScores, scoreDirections, scoreRandomDirections } from './evaluation/groundTruth.ts';
export {
  type FiringScores,
  type GroundTruthFirings,
  scoreFirings,
} from './evaluation/groundTruthFirings.ts';
export {
  type GroundTruthMeasured,
  type GroundTruthMeasures,
  type GroundTruthName,
  measureGroundTruth,
} from './evaluation/groundTruthMeasures.ts';
export { analyseComposition, type CompositionRequest } from './evaluation/composition/analyse.ts';
export type {
  CompositionEdge,
  CompositionGraph,
  CompositionNode,
  EdgeKind,
  LatentClass,
} from './evaluation/composition/graph.ts';
export { type Rewriting, rewriteInAtoms } from './evaluation/composition/rewrite.ts';
export { lassoAtL0, nonNegativeLasso } from './evaluation/inference/nonNegativeLasso.ts';
export { orthogonalPursuit } from './evaluation/inference/orthogonalPursuit.ts';
export type { Inference } from './evaluation/inference/problem.ts';
export { densityHistogram, type MetricName, measure } from './evaluation/metrics.ts';
export { type Null, NULL_NAMES, type NullName, NULLS, type NullSubject } from './evaluation/nulls/index.ts';
export { randomDictionary } from './evaluation/nulls/random.ts';
export {
  type Extrapolation,
  fitCompute,
  fitLatents,
  type Refusal,
  type ScalingFit,
  type ScalingPoint,
} from './evaluation/scaling.ts';
export { curvesOf, measureSparsity, type SparsityMeasures } from './evaluation/sparsity/curves.ts';
export type { HeldOut } from './evaluation/sparsity/heldOut.ts';
export { type Curve as SparsityCurve, findOptimum, type Optimum } from './evaluation/sparsity/optimum.ts';
export {
  type Curves as SparsityCurves,
  type Proposal,
  readSparsity,
  type SparsityReading,
} from './evaluation/sparsity/proposal.ts';
export { type SpliceRequest, spliceAll } from './evaluation/splice.ts';
export type { GroupSums } from './evaluation/sums.ts';

// Interpretation: what a latent fires on, and which tokens it promotes.
export {
  type CollectedExamples,
  collectExamples,
  type Firing,
  type LatentExamples,
} from './interpretation/examples.ts';
export { beginsWith, type Word, wordsOf } from './interpretation/atlas/wordsOf.ts';
export { type TokenLogits, tokenLogits } from './interpretation/logits.ts';
export type { Continuation, ContinuationOptions } from './interpretation/continuation.ts';
export type { EditEffect } from './interpretation/editEffect.ts';
export type { LatentEdit } from './interpretation/latentEdits.ts';
export type { PromptReading, ReadToken, ShownToken } from './interpretation/promptReading.ts';

// Runs: the run directory, read and written.
export { parseConfig, type RunConfig, type RunConfigInput } from './runs/config.ts';
export { type GridInput, parseGrid, type Sweep } from './runs/grid.ts';
export {
  type ListedRun,
  listRuns,
  RUN_FILES,
  readEvaluation,
  readMetrics,
  readRun,
} from './runs/directory.ts';
export type { Evaluation, Example, Feature, Interval, Measured, MetricsLine, Run } from './runs/schema.ts';
export { readEvidence, readLatentEvidence } from './runs/evidence.ts';
export type { EvidenceSummary, LatentEvidence } from './runs/evidenceSchema.ts';
export {
  readAtlas,
  readAtlasRows,
  readDirectionExamples,
  readDirections,
  readWords,
} from './runs/atlas.ts';
export type { Atlas, AtlasRow, Direction, DirectionExample, WordRow } from './runs/atlasSchema.ts';
export { readSparsityFile, type SparsityFile } from './runs/sparsity.ts';
export { readExamples, readFeatures } from './runs/tables.ts';
export { readComposition, writeComposition } from './runs/composition.ts';
export type { StoredComposition, StoredEdge } from './runs/compositionSchema.ts';

// The pipeline: a run from its configuration to its report, and its cost before it.
export {
  type Compared,
  type Cost,
  type CostCheck,
  checkCost,
  forecastCost,
  type PhaseCost,
} from './pipeline/cost.ts';
export { type Lab, openLab } from './pipeline/lab.ts';
export { atlasRun } from './pipeline/atlas.ts';
export { readLearned } from './pipeline/learn.ts';
export { type PhaseReporter, type Reporter, Stopwatch, silent } from './pipeline/reporter.ts';
export { finishRun, trainRun } from './pipeline/run.ts';
export { type SparsityPlan, type SparsityResult, sweepSparsity } from './pipeline/sparsity.ts';
export { resumeSweep, runSweep } from './pipeline/sweep.ts';
export { type ArmSummary, type SweepSummary, summariseSweep } from './pipeline/sweepSummary.ts';
export { type ScalingReport, scalingOf } from './pipeline/scaling.ts';
export {
  loadMaterial,
  loadSubject,
  type Material,
  type Subject,
  storeDirectory,
  trainingActivations,
  type Workbench,
} from './pipeline/subject.ts';
export { judgeRun } from './pipeline/verdict.ts';
export { recordComposition } from './pipeline/composition.ts';
export { worldMaterial, worldPath } from './pipeline/worldSubject.ts';
export { writeNeuronpedia } from './pipeline/neuronpedia.ts';
export { writeReport } from './report/writeReport.ts';
export { monosemVersion } from './version.ts';

// Formats: bytes to arrays and back.
export { appendJsonl, readJsonl } from './formats/jsonl.ts';
export { readNpy, writeNpy } from './formats/npy.ts';
export { readNpz, writeNpz } from './formats/npz.ts';
export { type ParquetColumn, readParquet, writeParquet } from './formats/parquet.ts';
export { decodeSafetensors, readSafetensors, type Tensor, writeSafetensors } from './formats/safetensors.ts';
export { readTorch, type TorchValue } from './formats/torch.ts';

// Statistics: seeded random streams, and the bootstrap over documents behind every interval.
export { bootstrapRatio, clusterBootstrap, drawResamples } from './math/bootstrap.ts';
export { Random } from './math/random.ts';

// Experiments: one claim each, predicted, tested where the truth is known, and judged.
export type { Context, Experiment, Outcome } from './experiments/experiment.ts';
export { EXPERIMENTS, experimentOf } from './experiments/index.ts';
export { runExperiment } from './experiments/runExperiment.ts';
export { judge, overSeeds } from './experiments/verdict.ts';
export { readEntry, writeEntry } from './runs/entry.ts';
export type { Entry, Figure, Finding, Verdict } from './runs/entrySchema.ts';
