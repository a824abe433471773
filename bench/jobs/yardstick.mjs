/** The least that a dense training step costs: five float32 products of batch x d x F, by ONNX Runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { timeRuns } from '../measuring.mjs';
import { matmulModel } from '../onnxModel.mjs';

/**
 * Milliseconds of five products, for each run. The output's memory is given, so that none is asked for in the run.
 * @param {{ width: number, latents: number, batch: number, threads: number, quick: boolean }} options
 */
export async function measure({ width, latents, batch, threads, quick }) {
  const session = await InferenceSession.create(matmulModel(batch, width, latents), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const filled = (/** @type {number} */ n, /** @type {number} */ scale) =>
    Float32Array.from({ length: n }, (_, i) => scale * (((i * 7919) % 1009) / 1009 - 0.5));
  const x = new Tensor('float32', filled(batch * width, 1), [batch, width]);
  const w = new Tensor('float32', filled(width * latents, 1), [width, latents]);
  const y = new Tensor('float32', new Float32Array(batch * latents), [batch, latents]);
  const times = await timeRuns(() => session.run({ x, w }, { y }), { least: quick ? 1 : 3, seconds: 0 });
  return { milliseconds: times.map((time) => 5 * time) };
}
