// The one table of functions that every instruction set fills in. Each works on one task's share of the data,
// in one thread, and its result for a row or a column never depends on how the work was split.
// This file knows shapes; threads are in pool.h, JavaScript in binding.cc.
#pragma once

#include <cstdint>

namespace monosem {

using std::int32_t;
using std::int64_t;
using std::uint32_t;

// A pre-activation that was kept.
struct Entry {
  float value;
  uint32_t column;
};

// Best first: the larger value, of equals the lower column.
inline bool stronger(const Entry& a, const Entry& b) {
  return a.value > b.value || (a.value == b.value && a.column < b.column);
}

// The strongest `k` entries of one row, gathered while columns are scanned in ascending order. `buffer` has room
// for `capacity` entries; whenever it is full all but the strongest `k` are dropped and `threshold` rises.
struct TopK {
  Entry* buffer;
  int32_t count;
  float threshold;
};

// Where a block's pre-activations go.
struct Selection {
  enum Kind { kTopK, kThreshold } kind;
  // kTopK: one for each row of the block.
  TopK* top;
  int32_t k;
  int32_t capacity;
  // kThreshold: threshold for each column of the weight; entries are appended by `append(context, row, entry)`.
  const float* threshold;
  void* context;
  void (*append)(void* context, int64_t row, Entry entry);
};

struct EncodeBlock {
  const float* x;  // [rows, width], the first row of the block
  int64_t rows;
  int64_t width;
  const float* weight;  // [columns, width]
  const float* bias;
  const uint32_t* subset;  // columns that take part, or null for all
  int64_t columns;         // how many take part
};

struct Kernels {
  const char* name;
  int panel;  // outputs in a panel of packed weights
  int strip;  // rows that a tile computes at once

  // weight [outputs, inputs] to panels [ceil(outputs / panel)][inputs][panel], zero padded: panels first..last.
  void (*pack)(const float* weight, int64_t outputs, int64_t inputs, int64_t first, int64_t last, float* packed);
  // out[r, o] for all rows given and the outputs of panels first..last. scratch: strip * inputs floats a strip.
  void (*linear)(const float* x, int64_t rows, const float* packed, int64_t inputs, int64_t outputs, int64_t first,
                 int64_t last, float* scratch, float* out);
  // Pre-activations of a block, selected as they are made. scratch: `encode_scratch` floats; k is 0 where the
  // selection is by threshold.
  void (*encode)(const EncodeBlock& block, Selection& selection, float* scratch);
  int64_t (*encode_scratch)(int64_t rows, int64_t width, int64_t k);

  void (*decode_row)(const uint32_t* indices, const float* values, int64_t count, const float* weight, int64_t width,
                     const float* bias, float* out);
  float (*dot)(const float* a, const float* b, int64_t n);
  void (*gather_sum)(const uint32_t* rows, const uint32_t* entries, const float* coefficients, int64_t count,
                     const float* m, int64_t width, float* out);

  void (*add)(const float* a, const float* b, int64_t n, float* out);
  void (*swiglu)(const float* gate, const float* up, int64_t n, float* out);
  void (*scale_row)(const float* x, float factor, int64_t n, float* out);
  void (*center_row)(const float* x, const float* center, float scale, int64_t n, float* out);
  float (*residual_row)(const float* a, const float* b, float scale, int64_t n, float* out);
  void (*subtract_scaled)(const float* b, float factor, int64_t n, float* a);  // a -= factor * b
  void (*adam)(float* parameter, float* gradient, float* m, float* v, int64_t n, float rate, float beta1, float beta2,
               float correction1, float correction2, float epsilon, float gradient_scale);

  // One head of one sequence. q, k, v, out: first row of the sequence at this head, rows `stride` apart.
  void (*attention_head)(const float* q, const float* k, const float* v, int64_t length, int64_t stride,
                         int64_t head_width, float* scratch, float* out);
  void (*attention_step)(const float* q, const float* k, const float* v, int64_t length, int64_t heads,
                         int64_t head_width, float* scratch, float* out);
  float (*max)(const float* x, int64_t n);
  // sum exp((x - top) * inverse_temperature), and the same of each run of 1,024 where `runs` is given.
  double (*exp_sum)(const float* x, int64_t n, float top, float inverse_temperature, double* runs);
  // sum exp(p - top) * (p - q)
  double (*exp_weighted_difference)(const float* p, const float* q, int64_t n, float top);
};

constexpr int64_t kRun = 1024;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline int64_t panels(const Kernels& k, int64_t outputs) { return ceil_div(outputs, k.panel); }

// Floats of scratch that `linear` needs for its packed rows.
inline int64_t linear_scratch(const Kernels& k, int64_t rows, int64_t inputs) {
  return ceil_div(rows, k.strip) * k.strip * inputs;
}

// Floats of scratch that `attention_head` and `attention_step` need.
inline int64_t attention_scratch(int64_t length, int64_t heads, int64_t head_width) {
  const int64_t padded = ceil_div(length, 64) * 64, padded_width = ceil_div(head_width, 16) * 16;
  return (heads + 1 + head_width) * padded + padded * padded_width;
}

// Null where this build or this processor does not have the set.
const Kernels* amx_kernels();
const Kernels* avx512bf16_kernels();
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
const Kernels* baseline_kernels();

}  // namespace monosem
