// What JavaScript calls to encode, decode and train dictionaries.
#include "exports.h"

namespace monosem {
namespace {

// ---- Sparse -----------------------------------------------------------------------------------------------

EncodeOperands operands(Arguments& a) {
  EncodeOperands block{};
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
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, [=] { return encode_top_k(block, rounded, k); });
}

Napi::Value EncodeBatchTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t total = a.count("total", 1);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, [=] { return encode_batch_top_k(block, rounded, total); });
}

Napi::Value EncodeThreshold(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("columns");
  const float* threshold = a.floats("threshold", columns);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, [=] { return encode_threshold(block, rounded, threshold); });
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

}  // namespace

void export_dictionary(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
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
}

}  // namespace monosem
