/**
 * A decoder's blocks for the reference backend: one operation after another, each with arrays of its own. What the
 * fused operation of `native/` must equal.
 */
import type { Backend, PackedMatrix } from '../backend.ts';
import { attention } from './attention.ts';
import { dense } from './dense.ts';

export const decoderBlocks: Backend['decoderBlocks'] = async (op) => {
  const { residual, batch, length, heads, headWidth, mlpWidth, epsilon, cos, sin } = op;
  const [rows, width] = [batch * length, heads * headWidth];

  const normalized = new Float32Array(rows * width);
  const normalize = (): Promise<void> =>
    dense.rmsNorm({ x: residual, rows, width, epsilon, scale: new Float32Array(rows), out: normalized });
  const project = async (x: Float32Array, weight: PackedMatrix): Promise<Float32Array> => {
    const out = new Float32Array(rows * weight.outputs);
    await dense.linear({ x, rows, weight, out });
    return out;
  };
  const rotate = (x: Float32Array): Promise<void> =>
    dense.rotary({ x, rows, length, start: 0, heads, headWidth, cos, sin, out: x });

  for (const { q: toQ, k: toK, v: toV, o, gate: toGate, up: toUp, down } of op.blocks) {
    await normalize();
    const [q, k] = [await project(normalized, toQ), await project(normalized, toK)];
    const v = await project(normalized, toV);
    await rotate(q);
    await rotate(k);
    const z = new Float32Array(rows * width);
    await attention.attention({ q, k, v, batch, length, heads, headWidth, out: z });
    await dense.add({ a: residual, b: await project(z, o), out: residual });

    await normalize();
    const [gate, up] = [await project(normalized, toGate), await project(normalized, toUp)];
    const product = new Float32Array(rows * mlpWidth);
    await dense.swiglu({ gate, up, out: product });
    await dense.add({ a: residual, b: await project(product, down), out: residual });
  }
};
