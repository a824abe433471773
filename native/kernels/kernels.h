// The one table of functions that every instruction set fills in. Each works on one task's share of the data,
// in one thread, and its result for a row or a column never depends on how the work was split.
// This file knows shapes; threads are in pool.h, JavaScript in binding.cc.
#pragma once

#include <cstdint>

namespace monosem {

using std::int32_t;
using std::int64_t;
using std::uint32_t;

// What an encoder multiplies: pre-activations are x @ weight^T + bias, of the columns in `subset` or of all.
struct EncodeOperands {
  const float* x;  // [rows, width]
  int64_t rows;
  int64_t width;
  const float* weight;     // [any, width]
  const float* bias;       // [any]
  const uint32_t* subset;  // rows of weight that take part, ascending, or null for the first `columns`
  int64_t columns;         // how many take part
};

// The pre-activations of one row that may be chosen, by ascending column. Columns are counted among those that take
// part. `value` and `column` have room for `capacity` entries and kListSlack more, at multiples of 64 bytes.
struct RowList {
  float* value;
  float* error;  // by how much a value may be off, where values only scout; else null
  uint32_t* column;
  int32_t count;
  int32_t capacity;
  float threshold;  // a later column must exceed it
  float norm;       // of the row and of what rounding took from it, where values only scout
  float rounding;
  bool magnitudes;  // values are magnitudes: kMinus is set in the columns of those that were negative
};

constexpr int64_t kListSlack = 64;
constexpr uint32_t kMinus = 1u << 31;

// One strip of packed rows against a group of packed columns.
struct Scan {
  const void* strip;
  int64_t first_row;
  int64_t rows;
  const void* panels;
  int64_t first_column;
  int64_t columns;
  RowList* lists;  // of the strip's rows
  // For each column of the group, whole panels long. The bias of what lies past the last column is -infinity, or 0
  // where magnitudes are compared, and its norm and rounding are 0, so that it is never chosen.
  const float* bias;
  const float* threshold;  // null where each row has its own (>= 0), which rises so that `k` columns reach it
  const float* norm;       // as in RowList
  const float* rounding;
  bool magnitudes;  // are compared, not values; without `threshold`
  int64_t k;
  float* room;     // at least `capacity` floats of a list, and kListSlack more
  float* partial;  // a strip's rows times the group's columns, whole panels; cache lines
  const EncodeOperands* operands;
};

// How a set multiplies to encode: operands are packed once, strips of rows and panels of columns.
struct EncodeProduct {
  int strip;          // rows
  int panel;          // columns
  int bytes;          // of one packed value
  int inputs;         // a packed row or column is padded to a multiple of so many
  bool rounds;        // operands are rounded to bfloat16: values only scout where the caller wants float32
  // `norm` and `rounding` may be null; else one float for each row or column.
  void (*pack_rows)(const float* x, int64_t rows, int64_t width, void* strip, float* norm, float* rounding);
  void (*pack_columns)(const EncodeOperands& operands, int64_t first, int64_t columns, void* panel, float* norm,
                       float* rounding);
  void (*scan)(const Scan& scan);
};

// For the benchmark: each runs operations on registers alone, for as long as `rounds` says, and returns how many
// floating-point operations these were. Null where the set lacks the instructions.
struct Peaks {
  double (*fp32)(int64_t rounds);
  double (*pairs)(int64_t rounds);  // dot products of pairs of bfloat16
  double (*tiles)(int64_t rounds);  // matrix tiles of bfloat16
};

enum class Activation : int { kNone, kRelu, kSilu, kGelu, kGeluTanh, kTanh };

// What becomes of the sums of a product: activation(sum + bias), and that added to what is there already.
struct Epilogue {
  const float* bias = nullptr;  // for each output
  Activation activation = Activation::kNone;
  bool add = false;
};

// Many rows against panels first..last of a packed weight, of which only something of each run of panels is wanted.
// Runs are of a power of two of panels, and counted from the weight's first.
struct OutputRuns {
  const void* strips;
  int64_t rows;
  const void* packed;
  int64_t inputs, outputs, first, last, run_panels;
  float factor;  // outputs are multiplied by it
  float* top;    // [runs][rows], runs `stride` apart
  float* sum;    // the same
  int64_t stride;
  float* scratch;  // kMostLanes + 1 for each row
};

constexpr int64_t kMostLanes = 16;

// How a set multiplies by packed weights in one precision: strips of rows, panels of outputs, both padded with zeros.
// A row's strip holds it as the product reads it: rounded, where the product rounds.
struct DenseProduct {
  int strip;   // rows
  int panel;   // outputs
  int bytes;   // of one packed value
  int inputs;  // a packed row is padded to a multiple of so many
  // Panels first..last of weight [outputs, inputs].
  void (*pack)(const float* weight, int64_t outputs, int64_t inputs, int64_t first, int64_t last, void* packed);
  // x [rows, inputs], rows `stride` apart.
  void (*pack_rows)(const float* x, int64_t stride, int64_t rows, int64_t inputs, void* strips);
  // All panels of the weight whose transpose is m [inputs, outputs], rows `stride` and panels `panel_bytes` apart: of a
  // weight with more inputs, so many from a multiple of `inputs` on. The last of them is padded.
  void (*pack_transposed)(const float* m, int64_t stride, int64_t inputs, int64_t outputs, int64_t panel_bytes,
                          void* packed);
  // out[r, o], rows `stride` apart, for all rows given and the outputs of panels first..last.
  void (*multiply)(const void* strips, int64_t rows, const void* packed, int64_t inputs, int64_t outputs,
                   int64_t first, int64_t last, const Epilogue& epilogue, float* out, int64_t stride);
  // silu(gate) * up for all rows given, packed as the strips of a product with `outputs` inputs.
  void (*multiply_gated)(const void* strips, int64_t rows, const void* gate, const void* up, int64_t inputs,
                         int64_t outputs, void* gated);
  // One head of one sequence. q, k, v, out: first row of the sequence at this head, rows `stride` apart; `out` may
  // be `q`. scratch: attention_scratch floats.
  void (*attention_head)(const float* q, const float* k, const float* v, int64_t length, int64_t stride,
                         int64_t head_width, float* scratch, float* out);
  // sum = sum over the run of 2^(output - top); top is never far below the largest output so far.
  void (*power_sums)(const OutputRuns& runs);
  // top = the largest output of the run.
  void (*largest)(const OutputRuns& runs);
};

// One position of one sequence: its key and value are put into the cache, and its query attends to all that are there.
struct CachedStep {
  const float *q, *k, *v;  // [heads * head_width]
  void* cache;             // of the sequence
  const void* next;        // the cache that will be read after it
  int64_t capacity, position, heads, head_width;
  float* scratch;  // cached_step_scratch floats
  float* out;      // [heads * head_width]; may be q
};

// How a set keeps keys and values in one precision. A cache begins as zeros.
struct CachedAttention {
  int64_t (*bytes)(int64_t capacity, int64_t heads, int64_t head_width);  // of one sequence
  void (*step)(const CachedStep& step);
};

// What Adam does to every element: m = beta1 m + (1 - beta1) g and v likewise with g^2, g being the gradient times
// gradient_scale; then p -= rate * m / (sqrt(v * inverse2) + epsilon), the rate with m's correction in it.
struct AdamStep {
  float rate;
  float beta1;
  float beta2;
  float inverse2;
  float epsilon;
  float gradient_scale;
};

// What signum does to every element p, whose z is kept: x = (p - (1 - momentum) z) / momentum; z -= rate * sign(g);
// x += weight * (z - x); p = (1 - momentum) z + momentum x.
struct SignumStep {
  float rate;
  float momentum;
  float weight;
};

// Rows of toy models are drawn and passed through them in blocks of so many: whole vectors of every set, and whole strips.
constexpr int64_t kToyRows = 96;

// Rows of independent sparse inputs. Feature i has the amplitude offset[i] + scale[i] r where the whole number r, drawn
// from [0, 2^31), is at most last[i]; all three have whole runs of 16 features, in which what is past the last never fires.
struct DrawnRows {
  const uint32_t* key;  // 4 words; the stream is named (key, step, block)
  uint32_t step, block;
  int64_t rows, features;
  const int32_t* last;
  const float *scale, *offset;
  uint32_t first;          // the number of the first entry
  uint32_t *start, *end;   // numbers of the entries of each row
  uint32_t* indices;       // of the block's entries, with room for 16 more than there can be; as the next
  float* values;
  float* dense;            // where not null, the same rows with zeros written out, `width` apart: whole runs of 16
  int64_t width;
};

// Entries of one row.
struct SparseRow {
  const uint32_t* indices;
  const float* values;
  int64_t count;
};

// One row's outputs against their targets, the inputs or their magnitudes. A width of whole vectors.
struct OutputRow {
  const float *bias, *input;
  const float* factor;  // of each squared error, twice
  int64_t width;
  float* out;   // before: sums without the bias; after: the gradient of sums
  float* sums;  // += the gradient
};

// A block's inputs where rows lie across lanes, drawn as those of DrawnRows.
struct DrawnColumns {
  const uint32_t* key;
  uint32_t step, block;
  int64_t rows, features;
  const int32_t* last;
  const float *scale, *offset;
  uint32_t* room;  // [16, features rounded up to 16]
  float* columns;  // [features, kToyRows], zeros past the last row
};

// A block's outputs against its inputs, as of OutputRow: those of a feature are weight h + bias, h the hidden values. What lies
// past the last row adds nothing to the loss or to sums.
struct OutputColumns {
  const float *weight, *bias, *factor;  // [features, hidden], [features] or null, [features]
  int64_t features, hidden, rows;
  const float *hidden_values, *inputs;  // [hidden, kToyRows], [features, kToyRows], zeros past the last row
  float* gradient;                      // of sums, [features, kToyRows]
  float* sums;                          // of the gradient over the rows, [features]
};

// Products over the rows of some blocks, `feature_step` and `hidden_step` floats apart.
struct ColumnProduct {
  const float *features, *hidden;  // of the first block: [any, kToyRows], whole runs of 8, and [hidden, kToyRows], of 2
};

struct ColumnProducts {
  ColumnProduct terms[2];
  int64_t count, blocks, feature_step, hidden_step;
  int64_t first, last, hidden;  // features first .. last - 1; a multiple of 8 is first
  bool add;
  float* sums;  // [any, hidden]
};

// Columns that `slice_squares` works on at once: a few thousand rows of so many stay in the second cache.
constexpr int64_t kSlice = 64;

// Rows of m [rows, kSlice] in groups: group j's sum is that of coefficients[i] * m[rows[i]] over offsets[j] <= i <
// offsets[j + 1]. Of several parts, the sums are added up.
struct SliceSums {
  const uint32_t* offsets;
  const uint32_t* rows;
  const float* coefficients;
  const float* m;
};

struct Kernels {
  const char* name;
  EncodeProduct encode;
  // Leaves in a list the strongest k that are > 0, or where `threshold` (for each column that takes part) is given all
  // above it. What scouted is computed in float32 first. `room` as in Scan.
  void (*finish_list)(RowList& list, const EncodeOperands& operands, int64_t row, const float* threshold, int64_t k,
                      float* room);

  // A bound that between k and `most` of n >= k values (>= 0, kListSlack more in memory) reach; where equal values make
  // that impossible, the k-th largest value.
  float (*bound_of)(const float* values, int64_t n, int64_t k, int64_t most);

  // The columns and values of a row that reach `least`, ascending; returns how many. All arrays have kListSlack more in
  // memory, which may be overwritten.
  int64_t (*choose_row)(const float* row, int64_t n, float least, uint32_t* columns, float* values);

  // The second may round operands to bfloat16.
  DenseProduct dense[2];
  CachedAttention cached[2];

  void (*decode_row)(const uint32_t* indices, const float* values, int64_t count, const float* weight, int64_t width,
                     const float* bias, float* out);
  float (*dot)(const float* a, const float* b, int64_t n);
  // Sum over the groups of the squares of their sums' elements; see SliceSums.
  double (*slice_squares)(const SliceSums* parts, int64_t count, int64_t first, int64_t last);
  // out = start (or 0 where null) + sum over i of coefficients[entries[i]] * m[rows[i]]
  void (*gather_sum)(const uint32_t* rows, const uint32_t* entries, const float* coefficients, int64_t count,
                     const float* m, int64_t width, const float* start, float* out);

  // second[i] += sum over the rows of m[r, i]^2, and fourth with ^4; rows `stride` apart. A few rows: summed in float32.
  void (*add_moments)(const float* m, int64_t stride, int64_t rows, int64_t n, double* second, double* fourth);

  void (*add)(const float* a, const float* b, int64_t n, float* out);
  void (*swiglu)(const float* gate, const float* up, int64_t n, float* out);
  void (*scale_row)(const float* x, float factor, int64_t n, float* out);
  void (*center_row)(const float* x, const float* center, float scale, int64_t n, float* out);
  float (*residual_row)(const float* a, const float* b, float scale, int64_t n, float* out);
  // out = scale * x - center, sums += out; returns the sum of out^2.
  float (*shift_row)(const float* x, float scale, const float* center, int64_t n, float* out, float* sums);
  // a = scale * (a - factor * b), sums += a; returns the sum of (a - factor * b)^2.
  float (*error_row)(const float* b, float factor, float scale, int64_t n, float* a, float* sums);
  // One step for the gradient less `along` times the parameter; returns the sum of squares of the new parameter.
  float (*adam)(const AdamStep& step, const float* gradient, float along, int64_t n, float* parameter, float* m,
                float* v);
  float (*signum)(const SignumStep& step, const float* gradient, float along, int64_t n, float* parameter, float* z);

  void (*draw_rows)(const DrawnRows& rows);
  // out = sum over the entries of value * weight[index]; a width of whole vectors, as in the next.
  void (*embed_row)(const SparseRow& x, const float* weight, int64_t width, float* out);
  // sums[index - first] += value * row, for each entry.
  void (*spread_row)(const SparseRow& x, const float* row, int64_t first, int64_t width, float* sums);
  // Returns the sum of factor * (activation(out + bias) - target)^2, the activation a ReLU or none.
  float (*output_row)(const OutputRow& row, bool relu, bool magnitude);

  // Where rows lie across lanes, kToyRows of them.
  void (*draw_columns)(const DrawnColumns& columns);
  // out [outputs, kToyRows] = weight^T x, of x [inputs, kToyRows] and weight [inputs, outputs].
  void (*embed_columns)(const float* x, const float* weight, int64_t inputs, int64_t outputs, float* out);
  // The sum that output_row returns, of all rows.
  double (*output_columns)(const OutputColumns& columns, bool relu, bool magnitude);
  // sums[i, j] = sum over the terms and the rows of features[i] * hidden[j], (`add`) beside what is there.
  void (*column_products)(const ColumnProducts& products);

  // The scale is returned. Root of the mean square, and the same of what is left when the mean is taken away.
  float (*rms_norm_row)(const float* x, int64_t n, float epsilon, float* out);
  float (*layer_norm_row)(const float* x, int64_t n, float epsilon, float* out);
  // Pairs of each head of a row, in place; cos, sin [head_width / 2].
  void (*rotate_row)(float* row, int64_t heads, int64_t head_width, const float* cos, const float* sin);
  float (*max)(const float* x, int64_t n);
  // sum exp(x - top)
  double (*exp_sum)(const float* x, int64_t n, float top);
  // sum exp(p - top) * (p - q)
  double (*exp_weighted_difference)(const float* p, const float* q, int64_t n, float top);

  Peaks peaks;
};

constexpr int64_t kRun = 1024;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline int64_t round_up(int64_t a, int64_t unit) { return ceil_div(a, unit) * unit; }

inline int64_t panels(const DenseProduct& p, int64_t outputs) { return ceil_div(outputs, p.panel); }

// Bytes of a packed weight, and of packed rows.
inline int64_t packed_bytes(const DenseProduct& p, int64_t outputs, int64_t inputs) {
  return round_up(outputs, p.panel) * round_up(inputs, p.inputs) * p.bytes;
}
inline int64_t strip_bytes(const DenseProduct& p, int64_t rows, int64_t inputs) {
  return round_up(rows, p.strip) * round_up(inputs, p.inputs) * p.bytes;
}

// Floats of scratch that `attention_head` needs: scores of a strip, the strip packed, keys and values packed.
inline int64_t attention_scratch(const DenseProduct& p, int64_t length, int64_t head_width) {
  const int64_t keys = round_up(length, p.panel);
  const int64_t bytes = strip_bytes(p, 1, keys) + strip_bytes(p, 1, head_width) + packed_bytes(p, length, head_width) +
                        packed_bytes(p, head_width, keys) + 4 * 64;
  return (p.strip + 1) * keys + bytes / 4;
}

// Floats of scratch that a step of cached attention needs.
inline int64_t cached_step_scratch(int64_t length, int64_t heads, int64_t head_width) {
  return 3 * heads * round_up(length, 64) / 2 + 2 * heads * round_up(head_width, 16) + heads + 64;
}

// Null where this build or this processor does not have the set.
const Kernels* amx_kernels();
const Kernels* avx512bf16_kernels();
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
const Kernels* neon_kernels();
const Kernels* baseline_kernels();

}  // namespace monosem
