/**
 * A Llama with random weights, saved and run by Hugging Face transformers 5.18 (test/fixtures/models/llama). Its
 * rotary pairs are (i, i + headWidth / 2) and two query heads share a key head; both are laid out anew here.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { createTransformer } from '../../src/models/transformer.ts';
import { largestDifference } from './helpers.ts';

const folder = fileURLToPath(new URL('../fixtures/models/llama/', import.meta.url));

/** Rows of q or k from half-split to interleaved pairs: row 2i of a head is its row i, row 2i + 1 its row i + half. */
function interleave(weight: Float32Array, headWidth: number, inputs: number): Float32Array {
  const out = new Float32Array(weight.length);
  const half = headWidth / 2;
  for (let row = 0; row < weight.length / inputs; row++) {
    const within = row % headWidth;
    const from = row - within + (within >> 1) + (within % 2) * half;
    out.set(weight.subarray(from * inputs, (from + 1) * inputs), row * inputs);
  }
  return out;
}

/** A key head for each query head: query heads `g * times .. (g + 1) * times` share key head g. */
function repeatHeads(weight: Float32Array, headSize: number, times: number): Float32Array {
  const out = new Float32Array(weight.length * times);
  for (let head = 0; head < out.length / headSize; head++) {
    const from = Math.floor(head / times) * headSize;
    out.set(weight.subarray(from, from + headSize), head * headSize);
  }
  return out;
}

test('hidden states and logits are those of Hugging Face transformers', async () => {
  const its = JSON.parse(await readFile(`${folder}config.json`, 'utf8'));
  const tensors = await readSafetensors(`${folder}model.safetensors`);
  const golden = await readSafetensors(`${folder}golden.safetensors`);
  const floats = (from: typeof tensors, name: string): Float32Array => from.get(name)!.data as Float32Array;
  const weight = (name: string): Float32Array => floats(tensors, name);
  const width: number = its.hidden_size;
  const headWidth: number = its.head_dim;
  const shared = its.num_attention_heads / its.num_key_value_heads;
  const normFinal = weight('model.norm.weight');
  const model = createTransformer(
    createReferenceBackend(),
    {
      name: 'llama fixture',
      layers: its.num_hidden_layers,
      width,
      heads: its.num_attention_heads,
      headWidth,
      mlpWidth: its.intermediate_size,
      vocabulary: its.vocab_size,
      context: its.max_position_embeddings,
      epsilon: its.rms_norm_eps,
      ropeTheta: its.rope_parameters.rope_theta,
      bos: its.bos_token_id,
    },
    {
      embedding: weight('model.embed_tokens.weight'),
      unembedding: weight('lm_head.weight'),
      normFinal,
      blocks: Array.from({ length: its.num_hidden_layers }, (_, layer) => {
        const own = (name: string): Float32Array => weight(`model.layers.${layer}.${name}.weight`);
        const keys = repeatHeads(own('self_attn.k_proj'), headWidth * width, shared);
        return {
          normAttention: own('input_layernorm'),
          q: interleave(own('self_attn.q_proj'), headWidth, width),
          k: interleave(keys, headWidth, width),
          v: repeatHeads(own('self_attn.v_proj'), headWidth * width, shared),
          o: own('self_attn.o_proj'),
          normMlp: own('post_attention_layernorm'),
          gate: own('mlp.gate_proj'),
          up: own('mlp.up_proj'),
          down: own('mlp.down_proj'),
        };
      }),
    },
  );

  const [batch, length] = golden.get('input_ids')!.shape;
  const tokens = golden.get('input_ids')!.data as Int32Array;
  const layers: number = its.num_hidden_layers;
  const after = Array.from({ length: layers - 1 }, (_, layer) => `blocks.${layer}.hook_resid_post`);
  const capture = ['hook_embed', ...after, 'ln_final.hook_normalized'];
  const states = await model.run(tokens, { batch, length, capture });
  for (const [i, name] of capture.entries()) {
    const isLast = i === layers;
    const found = states.get(name)!.map((value, at) => (isLast ? value * normFinal[at % width] : value));
    expect(largestDifference(found, floats(golden, `hidden_states.${i}`)), name).toBeLessThan(1e-5);
  }
  const logits = await model.logits(states.get('ln_final.hook_normalized')!, batch * length);
  expect(largestDifference(logits, floats(golden, 'logits'))).toBeLessThan(1e-5);
});
