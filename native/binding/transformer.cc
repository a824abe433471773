// What JavaScript calls of the dense operations and of the transformer.
#include "exports.h"

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

Napi::Value Add(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* x = a.floats("a", n);
  const float* y = a.floats("b", n);
  float* out = a.floats("out", n);
  return in_background(info, [=] { add(x, y, n, out); });
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

Napi::Value DecoderBlocks(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const DenseProduct& product = a.product();
  BlockShape s;
  s.batch = a.count("batch"), s.length = a.count("length", 1);
  s.heads = a.count("heads", 1), s.head_width = a.count("headWidth", 2), s.mlp_width = a.count("mlpWidth", 1);
  if (s.head_width % 2) a.refuse("headWidth: rotary embedding needs an even one");
  s.epsilon = static_cast<float>(a.number("epsilon"));
  s.cos = a.floats("cos", s.length * s.head_width / 2);
  s.sin = a.floats("sin", s.length * s.head_width / 2);
  const int64_t width = s.heads * s.head_width;
  float* residual = a.floats("residual", s.batch * s.length * width);
  std::vector<BlockWeights> blocks(a.count("blocks"));
  for (size_t i = 0; i < blocks.size(); i++) {
    const auto weight = [&](const char* name, int64_t outputs, int64_t inputs) {
      return a.packed(("blocks[" + std::to_string(i) + "]." + name).c_str(), product, outputs, inputs);
    };
    BlockWeights& b = blocks[i];
    b.q = weight("q", width, width), b.k = weight("k", width, width), b.v = weight("v", width, width);
    b.o = weight("o", width, width);
    b.gate = weight("gate", s.mlp_width, width), b.up = weight("up", s.mlp_width, width);
    b.down = weight("down", width, s.mlp_width);
  }
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

Napi::Value AttentionStep(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t batch = a.count("batch"), capacity = a.count("capacity", 1), length = a.count("length", 1);
  const int64_t heads = a.count("heads", 1), head_width = a.count("headWidth", 1);
  if (length > capacity) a.refuse("length: " + std::to_string(length) + ", past the capacity of the cache");
  const int64_t n = batch * heads * head_width;
  const float* q = a.floats("q", n);
  const float *k = a.floats("kCache", n * capacity), *v = a.floats("vCache", n * capacity);
  float* out = a.floats("out", n);
  return in_background(info, [=] { attention_step(q, k, v, batch, capacity, length, heads, head_width, out); });
}

Napi::Value CrossEntropy(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), vocabulary = a.count("vocabulary", 1);
  const float* logits = a.floats("logits", rows * vocabulary);
  const int32_t* targets = a.ints("targets", rows);
  float* out = a.floats("out", rows);
  for (int64_t r = 0; r < rows; r++) {
    if (targets[r] < 0 || targets[r] >= vocabulary)
      a.refuse("targets[" + std::to_string(r) + "]: token " + std::to_string(targets[r]) + ", outside the vocabulary");
  }
  return in_background(info, [=] { cross_entropy(logits, rows, vocabulary, targets, out); });
}

Napi::Value KlDivergence(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), vocabulary = a.count("vocabulary", 1);
  const float *p = a.floats("p", rows * vocabulary), *q = a.floats("q", rows * vocabulary);
  float* out = a.floats("out", rows);
  return in_background(info, [=] { kl_divergence(p, q, rows, vocabulary, out); });
}

Napi::Value Sample(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), vocabulary = a.count("vocabulary", 1);
  const float temperature = static_cast<float>(a.number("temperature"));
  if (!(temperature >= 0)) a.refuse("temperature: below 0");
  const float* logits = a.floats("logits", rows * vocabulary);
  const float* uniforms = a.floats("uniforms", rows);
  int32_t* out = a.ints("out", rows);
  return in_background(info, [=] { sample(logits, rows, vocabulary, temperature, uniforms, out); });
}

}  // namespace

void export_transformer(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"pack", Pack},
      {"linear", Linear},
      {"add", Add},
      {"swiglu", Swiglu},
      {"rmsNorm", RmsNorm},
      {"layerNorm", LayerNorm},
      {"takeRows", TakeRows},
      {"rotary", Rotary},
      {"decoderBlocks", DecoderBlocks},
      {"attention", Attention},
      {"attentionStep", AttentionStep},
      {"crossEntropy", CrossEntropy},
      {"klDivergence", KlDivergence},
      {"sample", Sample},
  };
  for (const auto& [name, function] : functions) exports[name] = Napi::Function::New(env, function, name);
}

}  // namespace monosem
