// What JavaScript calls to encode and decode with dictionaries, and for sums over rows.
#include "codes.h"
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

// The result goes to the caller's arrays where it fits them, which says how many entries there are, and else to new ones.
Napi::Value encode(const Napi::CallbackInfo& info, Arguments& a, const EncodeOperands& block,
                   std::function<Sparse()> task) {
  const int64_t room = a.next_length();
  uint32_t* indices = room >= 0 ? a.uints("room.indices", room) : nullptr;
  float* values = room >= 0 ? a.floats("room.values", room) : nullptr;
  auto codes = std::make_shared<Sparse>();
  return soon_or_in_background(
      info, product_time(block.rows, block.width, block.columns) + elements_time(block.rows * block.width),
      [=] {
        *codes = task();
        if (static_cast<int64_t>(codes->values.size()) > room) return;
        std::copy(codes->indices.begin(), codes->indices.end(), indices);
        std::copy(codes->values.begin(), codes->values.end(), values);
      },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out["rows"] = static_cast<double>(codes->offsets.size()) - 1;
        out["offsets"] = typed(env, codes->offsets);
        if (static_cast<int64_t>(codes->values.size()) <= room) return out;
        out["indices"] = typed(env, std::move(codes->indices));
        out["values"] = typed(env, std::move(codes->values));
        return out;
      });
}

Napi::Value EncodeTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t k = a.count("k", 1);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, a, block, [=] { return encode_top_k(block, rounded, k); });
}

Napi::Value EncodeBatchTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t total = a.count("total", 1);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, a, block, [=] { return encode_batch_top_k(block, rounded, total); });
}

Napi::Value EncodeAbsTopK(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t k = a.count("k", 1);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, a, block, [=] { return encode_abs_top_k(block, rounded, k); });
}

Napi::Value EncodeGroupMax(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t groups = a.count("groups", 1);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  if (block.subset) a.refuse("subset: groups are of all columns");
  if (block.columns % groups != 0)
    a.refuse("groups: " + std::to_string(block.columns) + " columns cannot be divided into " +
             std::to_string(groups) + " equal runs");
  return encode(info, a, block, [=] { return encode_group_max(block, rounded, groups); });
}

Napi::Value EncodeThreshold(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("columns");
  const float* threshold = a.floats("threshold", columns);
  const bool rounded = a.flag("rounded");
  const EncodeOperands block = operands(a);
  return encode(info, a, block, [=] { return encode_threshold(block, rounded, threshold); });
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

// ---- Rows and parameters ----------------------------------------------------------------------------------

Napi::Value Center(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float scale = static_cast<float>(a.number("scale"));
  const float *x = a.floats("x", rows * width), *middle = a.floats("center", width);
  float* out = a.floats("out", rows * width);
  return soon_or_in_background(info, elements_time(rows * width), [=] { center(x, middle, rows, width, scale, out); });
}

Napi::Value Residual(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float scale = static_cast<float>(a.number("scale"));
  const float *x = a.floats("a", rows * width), *y = a.floats("b", rows * width);
  float *out = a.floats("out", rows * width), *squares = a.floats("squares", rows);
  return soon_or_in_background(info, elements_time(rows * width), [=] { residual(x, y, rows, width, scale, out, squares); });
}

Napi::Value ColumnSum(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float* m = a.floats("m", rows * width);
  double* out = a.doubles("out", width);
  return soon_or_in_background(info, elements_time(rows * width), [=] { column_sum(m, rows, width, out); });
}

Napi::Value SumOfSquares(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* x = a.floats("x", n);
  auto sum = std::make_shared<double>();
  return soon_or_in_background(
      info, elements_time(n), [=] { *sum = sum_of_squares(x, n); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *sum); });
}

}  // namespace

void export_dictionary(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"encodeTopK", EncodeTopK},
      {"encodeBatchTopK", EncodeBatchTopK},
      {"encodeAbsTopK", EncodeAbsTopK},
      {"encodeGroupMax", EncodeGroupMax},
      {"encodeThreshold", EncodeThreshold},
      {"decode", Decode},
      {"center", Center},
      {"residual", Residual},
      {"columnSum", ColumnSum},
      {"sumOfSquares", SumOfSquares},
  };
  for (const auto& [name, function] : functions) exports[name] = Napi::Function::New(env, function, name);
}

}  // namespace monosem
