// What JavaScript calls. Each operation checks its arguments here (nothing behind this file does), then runs on a
// worker thread, off the event loop, and settles a promise. The arrays are held until then.
#include <napi.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "operations.h"
#include "pool.h"

namespace monosem {
namespace {

using Finish = std::function<Napi::Value(Napi::Env)>;

// Reads the arguments in order and refuses, by name, what does not fit.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  int64_t count(const char* name, int64_t least = 0) {
    const double value = number(name);
    if (!(value >= static_cast<double>(least)) || value != std::floor(value) || value > 9007199254740991.0)
      refuse(std::string(name) + ": " + info_[at_ - 1].ToString().Utf8Value() +
             ", but the operation needs a whole number of at least " + std::to_string(least));
    return static_cast<int64_t>(value);
  }

  double number(const char* name) {
    const Napi::Value value = info_[at_++];
    if (!value.IsNumber()) refuse(std::string(name) + ": not a number");
    return value.As<Napi::Number>().DoubleValue();
  }

  float* floats(const char* name, int64_t length) { return array<float>(name, length, napi_float32_array); }
  double* doubles(const char* name, int64_t length) { return array<double>(name, length, napi_float64_array); }
  uint32_t* uints(const char* name, int64_t length) { return array<uint32_t>(name, length, napi_uint32_array); }
  int32_t* ints(const char* name, int64_t length) { return array<int32_t>(name, length, napi_int32_array); }

  float* optional_floats(const char* name, int64_t length) { return absent() ? nullptr : floats(name, length); }

  // The length of the array that comes next, or -1 where there is none.
  int64_t next_length() {
    const Napi::Value value = info_[at_];
    return value.IsTypedArray() ? static_cast<int64_t>(value.As<Napi::TypedArray>().ElementLength()) : -1;
  }

  bool absent() {
    if (!info_[at_].IsUndefined()) return false;
    at_++;
    return true;
  }

  [[noreturn]] void refuse(const std::string& message) { throw Napi::RangeError::New(info_.Env(), message); }

 private:
  template <class T>
  T* array(const char* name, int64_t length, napi_typedarray_type type) {
    const Napi::Value value = info_[at_++];
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
      refuse(std::string(name) + ": not a typed array of the kind that the operation needs");
    const auto view = value.As<Napi::TypedArray>();
    if (static_cast<int64_t>(view.ElementLength()) < length)
      refuse(std::string(name) + ": " + std::to_string(view.ElementLength()) +
             " elements, but the operation needs " + std::to_string(length));
    return reinterpret_cast<T*>(static_cast<char*>(view.ArrayBuffer().Data()) + view.ByteOffset());
  }

  const Napi::CallbackInfo& info_;
  size_t at_ = 0;
};

class Work : public Napi::AsyncWorker {
 public:
  Work(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish)
      : Napi::AsyncWorker(info.Env()),
        deferred_(Napi::Promise::Deferred::New(info.Env())),
        task_(std::move(task)),
        finish_(std::move(finish)) {
    Napi::Array held = Napi::Array::New(info.Env(), info.Length());
    for (uint32_t i = 0; i < info.Length(); i++) held[i] = info[i];
    held_ = Napi::Persistent(static_cast<Napi::Object>(held));
  }

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override { task_(); }
  void OnOK() override { deferred_.Resolve(finish_ ? finish_(Env()) : Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference held_;
  std::function<void()> task_;
  Finish finish_;
};

Napi::Value in_background(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish = nullptr) {
  Work* work = new Work(info, std::move(task), std::move(finish));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

template <class T>
Napi::Value typed(Napi::Env env, const std::vector<T>& values) {
  auto array = Napi::TypedArrayOf<T>::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// ---- Dense ------------------------------------------------------------------------------------------------

Napi::Value Pack(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t outputs = a.count("outputs", 1), inputs = a.count("inputs", 1);
  const float* weight = a.floats("weight", outputs * inputs);
  auto packed = Napi::Float32Array::New(info.Env(), panels(kernels(), outputs) * kernels().panel * inputs);
  pack(weight, outputs, inputs, packed.Data());
  return packed;
}

Napi::Value Linear(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), inputs = a.count("inputs", 1), outputs = a.count("outputs", 1);
  const float* x = a.floats("x", rows * inputs);
  const float* packed = a.floats("weight.data", panels(kernels(), outputs) * kernels().panel * inputs);
  float* out = a.floats("out", rows * outputs);
  return in_background(info, [=] { if (rows) linear(x, rows, packed, inputs, outputs, out); });
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
  const int64_t batch = a.count("batch"), length = a.count("length", 1);
  const int64_t heads = a.count("heads", 1), head_width = a.count("headWidth", 1);
  const int64_t n = batch * length * heads * head_width;
  const float *q = a.floats("q", n), *k = a.floats("k", n), *v = a.floats("v", n);
  float* out = a.floats("out", n);
  return in_background(info, [=] { attention(q, k, v, batch, length, heads, head_width, out); });
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

// ---- Sparse -----------------------------------------------------------------------------------------------

EncodeBlock operands(Arguments& a) {
  EncodeBlock block{};
  block.rows = a.count("rows");
  block.width = a.count("width", 1);
  block.columns = a.count("columns");
  block.x = a.floats("x", block.rows * block.width);
  block.weight = a.floats("weight", block.columns * block.width);
  block.bias = a.floats("bias", block.columns);
  const int64_t taken = a.next_length();
  if (taken >= 0) {
    const uint32_t* subset = a.uints("subset", taken);
    for (int64_t i = 0; i < taken; i++) {
      if (subset[i] >= block.columns || (i > 0 && subset[i] <= subset[i - 1]))
        a.refuse("subset[" + std::to_string(i) + "]: columns must ascend and stay below " +
                 std::to_string(block.columns));
    }
    block.subset = subset;
    block.columns = taken;
  } else {
    a.absent();
  }
  return block;
}

Napi::Value encode(const Napi::CallbackInfo& info, std::function<Sparse()> task) {
  auto codes = std::make_shared<Sparse>();
  return in_background(
      info, [=] { *codes = task(); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out["rows"] = static_cast<double>(codes->offsets.size()) - 1;
        out["offsets"] = typed(env, codes->offsets);
        out["indices"] = typed(env, codes->indices);
        out["values"] = typed(env, codes->values);
        return out;
      });
}

Napi::Value EncodeTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t k = a.count("k", 1);
  const EncodeBlock block = operands(a);
  return encode(info, [=] { return encode_top_k(block, k); });
}

Napi::Value EncodeBatchTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t total = a.count("total", 1);
  const EncodeBlock block = operands(a);
  return encode(info, [=] { return encode_batch_top_k(block, total); });
}

Napi::Value EncodeThreshold(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("columns");
  const float* threshold = a.floats("threshold", columns);
  const EncodeBlock block = operands(a);
  return encode(info, [=] { return encode_threshold(block, threshold); });
}

SparseView sparse_rows(Arguments& a, int64_t columns) {
  SparseView view{};
  view.rows = a.count("codes.rows");
  view.offsets = a.uints("codes.offsets", view.rows + 1);
  for (int64_t r = 0; r < view.rows; r++) {
    if (view.offsets[r] > view.offsets[r + 1]) a.refuse("codes.offsets: must not descend");
  }
  const uint32_t entries = view.offsets[view.rows];
  view.indices = a.uints("codes.indices", entries);
  view.values = a.floats("codes.values", entries);
  for (uint32_t e = view.offsets[0]; e < entries; e++) {
    if (view.indices[e] >= columns) a.refuse("codes.indices: past the last column, " + std::to_string(columns));
  }
  return view;
}

Napi::Value Decode(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t width = a.count("width", 1), columns = a.count("columns");
  const float* weight = a.floats("weight", columns * width);
  const float* bias = a.optional_floats("bias", width);
  const SparseView codes = sparse_rows(a, columns);
  float* out = a.floats("out", codes.rows * width);
  return in_background(info, [=] { decode(codes, weight, bias, width, out); });
}

Napi::Value EntryDots(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t width = a.count("width", 1), columns = a.count("columns");
  const float* weight = a.floats("weight", columns * width);
  const SparseView codes = sparse_rows(a, columns);
  const float* m = a.floats("m", codes.rows * width);
  float* out = a.floats("out", codes.offsets[codes.rows]);
  return in_background(info, [=] { entry_dots(codes, m, weight, width, out); });
}

Napi::Value SortByColumn(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("columns");
  const SparseView codes = sparse_rows(a, columns);
  auto order = std::make_shared<Columns>();
  return in_background(
      info, [=] { *order = sort_by_column(codes, columns); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out["columns"] = static_cast<double>(columns);
        out["offsets"] = typed(env, order->offsets);
        out["rows"] = typed(env, order->rows);
        out["entries"] = typed(env, order->entries);
        return out;
      });
}

Napi::Value AddColumnSums(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("order.columns"), width = a.count("width", 1);
  const uint32_t* offsets = a.uints("order.offsets", columns + 1);
  for (int64_t c = 0; c < columns; c++) {
    if (offsets[c] > offsets[c + 1]) a.refuse("order.offsets: must not descend");
  }
  const int64_t count = offsets[columns];
  const uint32_t* rows = a.uints("order.rows", count);
  const uint32_t* entries = a.uints("order.entries", count);
  const int64_t coefficient_count = a.next_length();
  const float* coefficients = a.floats("coefficients", 0);
  const int64_t m_rows = a.next_length() / width;
  const float* m = a.floats("m", 0);
  for (int64_t i = offsets[0]; i < count; i++) {
    if (rows[i] >= m_rows) a.refuse("order.rows: past the last row of m");
    if (entries[i] >= coefficient_count) a.refuse("order.entries: past the last coefficient");
  }
  float* out = a.floats("out", columns * width);
  float* sums = a.optional_floats("sums", columns);
  return in_background(
      info, [=] { add_column_sums(columns, offsets, rows, entries, coefficients, m, width, out, sums); });
}

// ---- Rows and parameters ----------------------------------------------------------------------------------

Napi::Value Center(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float scale = static_cast<float>(a.number("scale"));
  const float *x = a.floats("x", rows * width), *middle = a.floats("center", width);
  float* out = a.floats("out", rows * width);
  return in_background(info, [=] { center(x, middle, rows, width, scale, out); });
}

Napi::Value Residual(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float scale = static_cast<float>(a.number("scale"));
  const float *x = a.floats("a", rows * width), *y = a.floats("b", rows * width);
  float *out = a.floats("out", rows * width), *squares = a.floats("squares", rows);
  return in_background(info, [=] { residual(x, y, rows, width, scale, out, squares); });
}

Napi::Value ColumnSum(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float* m = a.floats("m", rows * width);
  const float* weights = a.optional_floats("weights", rows);
  double* out = a.doubles("out", width);
  return in_background(info, [=] { column_sum(m, rows, width, weights, out); });
}

Napi::Value SumOfSquares(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* x = a.floats("x", n);
  auto sum = std::make_shared<double>();
  return in_background(
      info, [=] { *sum = sum_of_squares(x, n); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *sum); });
}

Napi::Value RemoveParallel(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  float* gradient = a.floats("gradient", rows * width);
  const float* weight = a.floats("weight", rows * width);
  return in_background(info, [=] { remove_parallel(gradient, weight, rows, width); });
}

Napi::Value UnitRows(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  float* weight = a.floats("weight", rows * width);
  return in_background(info, [=] { unit_rows(weight, rows, width); });
}

Napi::Value Adam(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length"), step = a.count("step", 1);
  const double rate = a.number("rate"), beta1 = a.number("beta1"), beta2 = a.number("beta2");
  const double epsilon = a.number("epsilon"), scale = a.number("gradientScale");
  float *parameter = a.floats("parameter", n), *gradient = a.floats("gradient", n);
  float *m = a.floats("m", n), *v = a.floats("v", n);
  return in_background(info, [=] { adam(parameter, gradient, m, v, n, step, rate, beta1, beta2, epsilon, scale); });
}

// ---- Settings ---------------------------------------------------------------------------------------------

Napi::Value Configure(const Napi::CallbackInfo& info) {
  Arguments a(info);
  set_threads(static_cast<int>(a.count("threads", 1)));
  const std::string name = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  return Napi::Boolean::New(info.Env(), choose_kernels(name));
}

Napi::Value InstructionSet(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), kernels().name);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"configure", Configure},
      {"instructionSet", InstructionSet},
      {"pack", Pack},
      {"linear", Linear},
      {"add", Add},
      {"swiglu", Swiglu},
      {"rmsNorm", RmsNorm},
      {"rotary", Rotary},
      {"attention", Attention},
      {"attentionStep", AttentionStep},
      {"crossEntropy", CrossEntropy},
      {"klDivergence", KlDivergence},
      {"sample", Sample},
      {"encodeTopK", EncodeTopK},
      {"encodeBatchTopK", EncodeBatchTopK},
      {"encodeThreshold", EncodeThreshold},
      {"decode", Decode},
      {"entryDots", EntryDots},
      {"sortByColumn", SortByColumn},
      {"addColumnSums", AddColumnSums},
      {"center", Center},
      {"residual", Residual},
      {"columnSum", ColumnSum},
      {"sumOfSquares", SumOfSquares},
      {"removeParallel", RemoveParallel},
      {"unitRows", UnitRows},
      {"adam", Adam},
  };
  for (const auto& [name, function] : functions) exports[name] = Napi::Function::New(env, function, name);
  return exports;
}

NODE_API_MODULE(monosem, Init)

}  // namespace
}  // namespace monosem
