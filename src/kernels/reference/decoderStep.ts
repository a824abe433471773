/**
 * A decoder's blocks for one position of each sequence, for the reference backend. The cache is
 * `[blocks][keys, values][batch, capacity, width]`, in float32. What the fused operation of `native/` must equal.
 */
import type { Backend, PackedMatrix } from '../backend.ts';
import { attend } from './attention.ts';
import { dense } from './dense.ts';

export const decoderStep: Pick<Backend, 'createCache' | 'decoderStep'> = {
  createCache(shape) {
    const { blocks, batch, capacity, heads, headWidth } = shape;
    return { ...shape, data: new Float32Array(blocks * 2 * batch * capacity * heads * headWidth) };
  },

  async decoderStep({ residual, cache, position, mlpWidth, epsilon, cos, sin, blocks }) {
    const { batch, capacity, heads, headWidth } = cache;
    const width = heads * headWidth;
    const size = batch * capacity * width;
    const data = cache.data as Float32Array;

    const normalized = new Float32Array(batch * width);
    const normalize = (): Promise<void> =>
      dense.rmsNorm({
        x: residual,
        rows: batch,
        width,
        epsilon,
        scale: new Float32Array(batch),
        out: normalized,
      });
    const project = async (x: Float32Array, weight: PackedMatrix): Promise<Float32Array> => {
      const out = new Float32Array(batch * weight.outputs);
      await dense.linear({ x, rows: batch, weight, out });
      return out;
    };
    const rotate = (x: Float32Array): Promise<void> =>
      dense.rotary({ x, rows: batch, length: 1, start: position, heads, headWidth, cos, sin, out: x });

    for (const [b, block] of blocks.entries()) {
      await normalize();
      const [q, k] = [await project(normalized, block.q), await project(normalized, block.k)];
      const v = await project(normalized, block.v);
      await rotate(q);
      await rotate(k);
      const keys = data.subarray(2 * b * size, (2 * b + 1) * size);
      const values = data.subarray((2 * b + 1) * size, (2 * b + 2) * size);
      const z = new Float32Array(batch * width);
      for (let i = 0; i < batch; i++) {
        const own = i * capacity * width;
        keys.set(k.subarray(i * width, (i + 1) * width), own + position * width);
        values.set(v.subarray(i * width, (i + 1) * width), own + position * width);
        for (let h = 0; h < heads; h++) {
          const at = h * headWidth;
          attend(q, i * width + at, keys, values, own + at, width, position + 1, headWidth, z);
        }
      }
      await dense.add({ a: residual, b: await project(z, block.o), out: residual });

      await normalize();
      const [gate, up] = [await project(normalized, block.gate), await project(normalized, block.up)];
      const product = new Float32Array(batch * mlpWidth);
      await dense.swiglu({ gate, up, out: product });
      await dense.add({ a: residual, b: await project(product, block.down), out: residual });
    }
  },
};
