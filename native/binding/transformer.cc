// What JavaScript calls of the dense operations and of the transformer.
#include "exports.h"

#include <cstring>

#include "../operations/buffer.h"

namespace monosem {
namespace {

// ---- Dense ------------------------------------------------------------------------------------------------

// Aligned for the processor's tiles, as JavaScript's own arrays are not.
Napi::ArrayBuffer aligned_array_buffer(Napi::Env env, int64_t bytes) {
  uint8_t* memory = make_buffer<uint8_t>(bytes).release();
  return Napi::ArrayBuffer::New(env, memory, bytes, [](Napi::Env, void* data) { std::free(data); });
}

Napi::Value Pack(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  const int64_t outputs = a.count("outputs", 1), inputs = a.count("inputs", 1);
  const float* weight = a.floats("weight", outputs * inputs);
  const int64_t bytes = packed_bytes(product, outputs, inputs);
  Napi::ArrayBuffer buffer = aligned_array_buffer(info.Env(), bytes);
  pack(product, weight, outputs, inputs, buffer.Data());
  if (product.bytes == 2) return Napi::Uint16Array::New(info.Env(), bytes / 2, buffer, 0);
  return Napi::Float32Array::New(info.Env(), bytes / 4, buffer, 0);
}

Napi::Value Linear(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  const int64_t rows = a.count("rows"), inputs = a.count("inputs", 1), outputs = a.count("outputs", 1);
  const float* x = a.floats("x", rows * inputs);
  const void* packed = a.packed("weight.data", product, outputs, inputs);
  Epilogue epilogue;
  epilogue.bias = a.optional_floats("bias", outputs);
  epilogue.activation = static_cast<Activation>(a.count("activation"));
  float* out = a.floats("out", rows * outputs);
  return in_background(info, [=, &product] { linear(product, x, rows, packed, inputs, outputs, epilogue, out); });
}

Napi::Value AddMoments(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  const int64_t rows = a.count("rows"), inputs = a.count("inputs", 1), outputs = a.count("outputs", 1);
  const int64_t groups = a.count("groups");
  const float* x = a.floats("x", rows * inputs);
  const void* packed = a.packed("weight.data", product, outputs, inputs);
  const uint32_t* group = a.uints("group", rows);
  for (int64_t r = 0; r < rows; r++)
    if (group[r] >= groups)
      a.refuse("group[" + std::to_string(r) + "]: " + std::to_string(group[r]) + ", but second has room for " +
               std::to_string(groups) + " groups");
  double *second = a.doubles("second", groups * outputs), *fourth = a.doubles("fourth", groups * outputs);
  return in_background(
      info, [=, &product] { add_moments(product, x, rows, packed, inputs, outputs, group, second, fourth); });
}

Napi::Value Add(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* x = a.floats("a", n);
  const float* y = a.floats("b", n);
  float* out = a.floats("out", n);
  return soon_or_in_background(info, elements_time(n), [=] { add(x, y, n, out); });
}

Napi::Value Swiglu(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* gate = a.floats("gate", n);
  const float* up = a.floats("up", n);
  float* out = a.floats("out", n);
  return in_background(info, [=] { swiglu(gate, up, n, out); });
}

Napi::Value RmsNorm(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float epsilon = static_cast<float>(a.number("epsilon"));
  const float* x = a.floats("x", rows * width);
  float* scale = a.floats("scale", rows);
  float* out = a.floats("out", rows * width);
  return in_background(info, [=] { rms_norm(x, rows, width, epsilon, scale, out); });
}

Napi::Value LayerNorm(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float epsilon = static_cast<float>(a.number("epsilon"));
  const float* x = a.floats("x", rows * width);
  float* scale = a.floats("scale", rows);
  float* out = a.floats("out", rows * width);
  return in_background(info, [=] { layer_norm(x, rows, width, epsilon, scale, out); });
}

Napi::Value TakeRows(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1), table_rows = a.count("table's rows");
  const float* table = a.floats("table", table_rows * width);
  const int32_t* indices = a.ints("indices", rows);
  float* out = a.floats("out", rows * width);
  for (int64_t r = 0; r < rows; r++) {
    if (indices[r] < 0 || indices[r] >= table_rows)
      a.refuse("indices[" + std::to_string(r) + "]: " + std::to_string(indices[r]) + ", but the table has " +
               std::to_string(table_rows) + " rows");
  }
  return in_background(info, [=] { take_rows(table, width, indices, rows, out); });
}

void read_block_shape(Arguments& a, BlockShape& s) {
  s.heads = a.count("heads", 1), s.head_width = a.count("headWidth", 2), s.mlp_width = a.count("mlpWidth", 1);
  if (s.head_width % 2) a.refuse("headWidth: rotary embedding needs an even one");
  s.epsilon = static_cast<float>(a.number("epsilon"));
}

std::vector<BlockWeights> read_blocks(Arguments& a, const DenseProduct& product, const BlockShape& s, int64_t count) {
  const int64_t width = s.heads * s.head_width;
  std::vector<BlockWeights> blocks(count);
  for (int64_t i = 0; i < count; i++) {
    const auto weight = [&](const char* name, int64_t outputs, int64_t inputs) {
      return a.packed(("blocks[" + std::to_string(i) + "]." + name).c_str(), product, outputs, inputs);
    };
    BlockWeights& b = blocks[i];
    b.q = weight("q", width, width), b.k = weight("k", width, width), b.v = weight("v", width, width);
    b.o = weight("o", width, width);
    b.gate = weight("gate", s.mlp_width, width), b.up = weight("up", s.mlp_width, width);
    b.down = weight("down", width, s.mlp_width);
  }
  return blocks;
}

Napi::Value DecoderBlocks(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  BlockShape s;
  s.batch = a.count("batch"), s.length = a.count("length", 1);
  read_block_shape(a, s);
  s.cos = a.floats("cos", s.length * s.head_width / 2);
  s.sin = a.floats("sin", s.length * s.head_width / 2);
  float* residual = a.floats("residual", s.batch * s.length * s.heads * s.head_width);
  const int64_t count = a.count("blocks");
  const std::vector<BlockWeights> blocks = read_blocks(a, product, s, count);
  return in_background(info, [=, &product] { decoder_blocks(product, s, blocks, residual); });
}

Napi::Value Rotary(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), length = a.count("length", 1), start = a.count("start");
  const int64_t heads = a.count("heads", 1), head_width = a.count("headWidth", 2);
  if (head_width % 2) a.refuse("headWidth: rotary embedding needs an even one");
  const int64_t last = start + std::min(length, rows);
  const float* x = a.floats("x", rows * heads * head_width);
  const float* cos = a.floats("cos", last * head_width / 2);
  const float* sin = a.floats("sin", last * head_width / 2);
  float* out = a.floats("out", rows * heads * head_width);
  return in_background(info, [=] { rotary(x, rows, length, start, heads, head_width, cos, sin, out); });
}

// ---- Softmax ----------------------------------------------------------------------------------------------

Napi::Value Attention(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  const int64_t batch = a.count("batch"), length = a.count("length", 1);
  const int64_t heads = a.count("heads", 1), head_width = a.count("headWidth", 1);
  const int64_t n = batch * length * heads * head_width;
  const float *q = a.floats("q", n), *k = a.floats("k", n), *v = a.floats("v", n);
  float* out = a.floats("out", n);
  return in_background(info, [=, &product] { attention(product, q, k, v, batch, length, heads, head_width, out); });
}

// ---- Decoding ---------------------------------------------------------------------------------------------

// Zeros, in large pages where the system has them.
Napi::Value CreateCache(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int precision = a.flag("bf16");
  const int64_t blocks = a.count("blocks", 1), batch = a.count("batch", 1), capacity = a.count("capacity", 1);
  const int64_t heads = a.count("heads", 1), head_width = a.count("headWidth", 2);
  const int64_t bytes = cache_bytes(precision, blocks, batch, capacity, heads, head_width);
  Napi::ArrayBuffer buffer = aligned_array_buffer(info.Env(), bytes);
  std::memset(buffer.Data(), 0, bytes);
  return Napi::Uint8Array::New(info.Env(), bytes, buffer, 0);
}

Napi::Value DecoderStep(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int precision = a.flag("bf16");
  BlockShape s;
  s.batch = a.count("batch"), s.length = a.count("capacity", 1);
  const int64_t position = a.count("position");
  if (position >= s.length)
    a.refuse("position: " + std::to_string(position) + ", past the capacity of the cache, " + std::to_string(s.length));
  read_block_shape(a, s);
  const int64_t half = s.head_width / 2, width = s.heads * s.head_width;
  s.cos = a.floats("cos", (position + 1) * half) + position * half;
  s.sin = a.floats("sin", (position + 1) * half) + position * half;
  float* residual = a.floats("residual", s.batch * width);
  const int64_t count = a.count("blocks");
  uint8_t* cache = a.bytes("cache.data", cache_bytes(precision, count, s.batch, s.length, s.heads, s.head_width));
  const std::vector<BlockWeights> blocks = read_blocks(a, kernels().dense[precision], s, count);
  return in_background(info, [=] { decoder_step(precision, s, blocks, position, cache, residual); });
}

// ---- Unembedding ------------------------------------------------------------------------------------------

Unembedding read_unembedding(Arguments& a) {
  Unembedding u;
  u.product = &a.product();
  u.outputs = a.count("weight.outputs", 1), u.inputs = a.count("weight.inputs", 1);
  u.packed = a.packed("weight.data", *u.product, u.outputs, u.inputs);
  return u;
}

const int32_t* read_targets(Arguments& a, int64_t rows, int64_t outputs) {
  const int32_t* targets = a.ints("targets", rows);
  for (int64_t r = 0; r < rows; r++) {
    if (targets[r] < 0 || targets[r] >= outputs)
      a.refuse("targets[" + std::to_string(r) + "]: token " + std::to_string(targets[r]) + ", outside the vocabulary");
  }
  return targets;
}

Napi::Value CrossEntropy(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const Unembedding u = read_unembedding(a);
  const int64_t rows = a.count("rows");
  const float* x = a.floats("x", rows * u.inputs);
  const int32_t* targets = read_targets(a, rows, u.outputs);
  float* out = a.floats("out", rows);
  return in_background(info, [=] { cross_entropy(u, x, rows, targets, out); });
}

Napi::Value Divergence(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const Unembedding u = read_unembedding(a);
  const int64_t rows = a.count("rows");
  const float *clean = a.floats("clean", rows * u.inputs), *other = a.floats("other", rows * u.inputs);
  const int32_t* targets = read_targets(a, rows, u.outputs);
  float *kl = a.floats("kl", rows), *losses = a.floats("crossEntropy", rows);
  return in_background(info, [=] { divergence(u, clean, other, rows, targets, kl, losses); });
}

Napi::Value Sample(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const Unembedding u = read_unembedding(a);
  const int64_t rows = a.count("rows");
  const float temperature = static_cast<float>(a.number("temperature"));
  if (!(temperature >= 0)) a.refuse("temperature: below 0");
  const float* x = a.floats("x", rows * u.inputs);
  const float* uniforms = a.floats("uniforms", rows);
  int32_t* out = a.ints("out", rows);
  return in_background(info, [=] { sample(u, x, rows, temperature, uniforms, out); });
}

}  // namespace

void export_transformer(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"pack", Pack},
      {"linear", Linear},
      {"addMoments", AddMoments},
      {"add", Add},
      {"swiglu", Swiglu},
      {"rmsNorm", RmsNorm},
      {"layerNorm", LayerNorm},
      {"takeRows", TakeRows},
      {"rotary", Rotary},
      {"decoderBlocks", DecoderBlocks},
      {"attention", Attention},
      {"createCache", CreateCache},
      {"decoderStep", DecoderStep},
      {"crossEntropy", CrossEntropy},
      {"divergence", Divergence},
      {"sample", Sample},
  };
  for (const auto& [name, function] : functions) exports[name] = Napi::Function::New(env, function, name);
}

}  // namespace monosem
