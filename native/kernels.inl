// The kernels, written once over the vectors of simd.h and compiled once for each instruction set by the file
// that includes this. No standard header with inline functions may come in here: the linker could then pick a
// copy that was compiled for a processor that this machine does not have.

#include "kernels.h"
#include "simd.h"

namespace monosem {
namespace {

constexpr int kPanel = LANES * TILE_VECTORS;
constexpr int kStrip = TILE_ROWS;

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// ---- Matrix multiplication ------------------------------------------------------------------------------

// `count` rows of `source` (rows[i] apart) interleaved as [inputs][width], the missing ones zero.
template <int width>
void interleave(const float* const* rows, int64_t count, int64_t inputs, float* out) {
  if (count == width) {
    for (int64_t i = 0; i < inputs; i++) {
#pragma GCC unroll 32
      for (int r = 0; r < width; r++) out[i * width + r] = rows[r][i];
    }
    return;
  }
  for (int64_t i = 0; i < inputs; i++) {
    for (int r = 0; r < count; r++) out[i * width + r] = rows[r][i];
    for (int64_t r = count; r < width; r++) out[i * width + r] = 0;
  }
}

void pack_panel(const float* weight, const uint32_t* subset, int64_t first, int64_t count, int64_t inputs,
                float* panel) {
  const float* rows[kPanel];
  for (int64_t i = 0; i < count; i++) rows[i] = weight + (subset ? subset[first + i] : first + i) * inputs;
  interleave<kPanel>(rows, count, inputs, panel);
}

void pack_strips(const float* x, int64_t rows, int64_t inputs, float* strips) {
  for (int64_t first = 0; first < rows; first += kStrip) {
    const int64_t count = smaller(kStrip, rows - first);
    const float* source[kStrip];
    for (int64_t i = 0; i < count; i++) source[i] = x + (first + i) * inputs;
    interleave<kStrip>(source, count, inputs, strips + first * inputs);
  }
}

// c = strip^T panel: every sum runs over the inputs in ascending order, whatever the split of rows and outputs.
inline __attribute__((always_inline)) void tile(const float* strip, const float* panel, int64_t inputs,
                                                V c[TILE_ROWS][TILE_VECTORS]) {
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) c[r][j] = V{};
  for (int64_t i = 0; i < inputs; i++) {
    V b[TILE_VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) b[j] = load(panel + i * kPanel + j * LANES);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
      const V a = splat(strip[i * kStrip + r]);
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) c[r][j] += a * b[j];
    }
  }
}

void pack(const float* weight, int64_t outputs, int64_t inputs, int64_t first, int64_t last, float* packed) {
  for (int64_t p = first; p < last; p++) {
    const int64_t count = smaller(kPanel, outputs - p * kPanel);
    pack_panel(weight, nullptr, p * kPanel, count, inputs, packed + p * kPanel * inputs);
  }
}

void linear(const float* x, int64_t rows, const float* packed, int64_t inputs, int64_t outputs, int64_t first,
            int64_t last, float* scratch, float* out) {
  pack_strips(x, rows, inputs, scratch);
  for (int64_t p = first; p < last; p++) {
    const int64_t columns = smaller(kPanel, outputs - p * kPanel);
    for (int64_t r0 = 0; r0 < rows; r0 += kStrip) {
      V c[TILE_ROWS][TILE_VECTORS];
      tile(scratch + r0 * inputs, packed + p * kPanel * inputs, inputs, c);
      const int64_t count = smaller(kStrip, rows - r0);
      for (int64_t r = 0; r < count; r++) {
        float* to = out + (r0 + r) * outputs + p * kPanel;
        if (columns == kPanel) {
          for (int j = 0; j < TILE_VECTORS; j++) store(to + j * LANES, c[r][j]);
        } else {
          __builtin_memcpy(to, &c[r][0], columns * sizeof(float));
        }
      }
    }
  }
}

// ---- Encode and select ------------------------------------------------------------------------------------

// Moves the strongest k entries to the front: quickselect with the middle as the pivot.
void keep_strongest(Entry* entries, int64_t count, int64_t k) {
  int64_t low = 0, high = count - 1;
  while (low < high) {
    const Entry pivot = entries[(low + high) / 2];
    int64_t i = low, j = high;
    while (i <= j) {
      while (stronger(entries[i], pivot)) i++;
      while (stronger(pivot, entries[j])) j--;
      if (i <= j) {
        const Entry swap = entries[i];
        entries[i++] = entries[j];
        entries[j--] = swap;
      }
    }
    if (k - 1 <= j) high = j;
    else if (k - 1 >= i) low = i;
    else break;
  }
}

inline void offer(TopK& top, const Selection& selection, Entry entry) {
  if (!(entry.value > top.threshold)) return;
  top.buffer[top.count++] = entry;
  if (top.count < selection.capacity) return;
  keep_strongest(top.buffer, top.count, selection.k);
  top.count = selection.k;
  float weakest = top.buffer[0].value;
  for (int32_t i = 1; i < selection.k; i++) weakest = top.buffer[i].value < weakest ? top.buffer[i].value : weakest;
  top.threshold = weakest;
}

[[maybe_unused]] void encode(const EncodeBlock& block, Selection& selection, float* scratch) {
  float* panel = scratch + ceil_div(block.rows, kStrip) * kStrip * block.width;
  pack_strips(block.x, block.rows, block.width, scratch);
  for (int64_t first = 0; first < block.columns; first += kPanel) {
    const int64_t columns = smaller(kPanel, block.columns - first);
    pack_panel(block.weight, block.subset, first, columns, block.width, panel);
    float bias[kPanel] = {}, threshold[kPanel] = {};
    uint32_t column[kPanel] = {};
    for (int64_t i = 0; i < columns; i++) {
      column[i] = block.subset ? block.subset[first + i] : first + i;
      bias[i] = block.bias[column[i]];
      if (selection.kind == Selection::kThreshold) {
        const float t = selection.threshold[column[i]];
        threshold[i] = t > 0 ? t : 0;
      }
    }
    // Columns past the end are zero weights with zero bias: never > 0, so never kept.
    for (int64_t r0 = 0; r0 < block.rows; r0 += kStrip) {
      V c[TILE_ROWS][TILE_VECTORS];
      tile(scratch + r0 * block.width, panel, block.width, c);
      const int64_t count = smaller(kStrip, block.rows - r0);
      for (int64_t r = 0; r < count; r++) {
        for (int j = 0; j < TILE_VECTORS; j++) {
          const V value = c[r][j] + load(bias + j * LANES);
          const bool top = selection.kind == Selection::kTopK;
          const V bound = top ? splat(selection.top[r0 + r].threshold) : load(threshold + j * LANES);
          for (uint32_t mask = greater_mask(value, bound); mask; mask &= mask - 1) {
            const int lane = __builtin_ctz(mask);
            const Entry entry = {value[lane], column[j * LANES + lane]};
            if (top) offer(selection.top[r0 + r], selection, entry);
            else selection.append(selection.context, r0 + r, entry);
          }
        }
      }
    }
  }
  if (selection.kind != Selection::kTopK) return;
  for (int64_t r = 0; r < block.rows; r++) {
    TopK& top = selection.top[r];
    if (top.count <= selection.k) continue;
    keep_strongest(top.buffer, top.count, selection.k);
    top.count = selection.k;
  }
}

[[maybe_unused]] int64_t encode_scratch(int64_t rows, int64_t width, int64_t) {
  return (ceil_div(rows, kStrip) * kStrip + kPanel) * width;
}

// ---- Sparse sums --------------------------------------------------------------------------------------------

// out = start + sum over e of coefficient(e) * row(e), the sum kept in registers for a stretch of columns at a time.
template <class Row, class Coefficient>
inline void weighted_rows(int64_t count, int64_t width, const float* start, float* out, Row row,
                          Coefficient coefficient) {
  constexpr int kStretch = 8;
  int64_t i = 0;
  for (; i + kStretch * LANES <= width; i += kStretch * LANES) {
    V sum[kStretch];
#pragma GCC unroll 8
    for (int j = 0; j < kStretch; j++) sum[j] = start ? load(start + i + j * LANES) : V{};
    for (int64_t e = 0; e < count; e++) {
      const float* from = row(e) + i;
      const V factor = splat(coefficient(e));
#pragma GCC unroll 8
      for (int j = 0; j < kStretch; j++) sum[j] += factor * load(from + j * LANES);
    }
#pragma GCC unroll 8
    for (int j = 0; j < kStretch; j++) store(out + i + j * LANES, sum[j]);
  }
  for (; i + LANES <= width; i += LANES) {
    V sum = start ? load(start + i) : V{};
    for (int64_t e = 0; e < count; e++) sum += splat(coefficient(e)) * load(row(e) + i);
    store(out + i, sum);
  }
  for (; i < width; i++) {
    float sum = start ? start[i] : 0;
    for (int64_t e = 0; e < count; e++) sum += coefficient(e) * row(e)[i];
    out[i] = sum;
  }
}

void decode_row(const uint32_t* indices, const float* values, int64_t count, const float* weight, int64_t width,
                const float* bias, float* out) {
  weighted_rows(
      count, width, bias, out, [&](int64_t e) { return weight + indices[e] * width; },
      [&](int64_t e) { return values[e]; });
}

void gather_sum(const uint32_t* rows, const uint32_t* entries, const float* coefficients, int64_t count,
                const float* m, int64_t width, float* out) {
  weighted_rows(
      count, width, out, out, [&](int64_t e) { return m + rows[e] * width; },
      [&](int64_t e) { return coefficients[entries[e]]; });
}

float dot(const float* a, const float* b, int64_t n) {
  V s0 = {}, s1 = {}, s2 = {}, s3 = {};
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    s0 += load(a + i) * load(b + i);
    s1 += load(a + i + LANES) * load(b + i + LANES);
    s2 += load(a + i + 2 * LANES) * load(b + i + 2 * LANES);
    s3 += load(a + i + 3 * LANES) * load(b + i + 3 * LANES);
  }
  for (; i + LANES <= n; i += LANES) s0 += load(a + i) * load(b + i);
  float sum = sum_lanes((s0 + s1) + (s2 + s3));
  for (; i < n; i++) sum += a[i] * b[i];
  return sum;
}

// ---- Elementwise --------------------------------------------------------------------------------------------

// Calls `body(load, store)` for whole vectors and then for what is left over, in a padded copy.
#define FOR_VECTORS(n, body)                              \
  do {                                                    \
    int64_t i = 0;                                        \
    for (; i + LANES <= (n); i += LANES) body(i, LANES);  \
    if (i < (n)) body(i, (n)-i);                          \
  } while (0)

inline V load_part(const float* p, int64_t count) {
  if (count == LANES) return load(p);
  V v = {};
  __builtin_memcpy(&v, p, count * sizeof(float));
  return v;
}

inline void store_part(float* p, V v, int64_t count) {
  if (count == LANES) store(p, v);
  else __builtin_memcpy(p, &v, count * sizeof(float));
}

void add(const float* a, const float* b, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) { store_part(out + i, load_part(a + i, c) + load_part(b + i, c), c); };
  FOR_VECTORS(n, body);
}

void swiglu(const float* gate, const float* up, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) {
    const V g = load_part(gate + i, c);
    store_part(out + i, g / (1.0f + exponential(-g)) * load_part(up + i, c), c);
  };
  FOR_VECTORS(n, body);
}

void scale_row(const float* x, float factor, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) { store_part(out + i, load_part(x + i, c) * factor, c); };
  FOR_VECTORS(n, body);
}

void center_row(const float* x, const float* center, float scale, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) {
    store_part(out + i, (load_part(x + i, c) - load_part(center + i, c)) * scale, c);
  };
  FOR_VECTORS(n, body);
}

float residual_row(const float* a, const float* b, float scale, int64_t n, float* out) {
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V difference = load_part(a + i, c) - load_part(b + i, c);
    squares += difference * difference;
    store_part(out + i, difference * scale, c);
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

void subtract_scaled(const float* b, float factor, int64_t n, float* a) {
  auto body = [&](int64_t i, int64_t c) { store_part(a + i, load_part(a + i, c) - load_part(b + i, c) * factor, c); };
  FOR_VECTORS(n, body);
}

void adam(float* parameter, float* gradient, float* m, float* v, int64_t n, float rate, float beta1, float beta2,
          float correction1, float correction2, float epsilon, float gradient_scale) {
  const float step = rate / correction1, inverse2 = 1 / correction2;
  auto body = [&](int64_t i, int64_t c) {
    const V g = load_part(gradient + i, c) * gradient_scale;
    const V mean = load_part(m + i, c) * beta1 + g * (1 - beta1);
    const V square = load_part(v + i, c) * beta2 + g * g * (1 - beta2);
    store_part(m + i, mean, c);
    store_part(v + i, square, c);
    const V change = mean * step / (square_root(square * inverse2) + epsilon);
    store_part(parameter + i, load_part(parameter + i, c) - change, c);
    store_part(gradient + i, V{}, c);
  };
  FOR_VECTORS(n, body);
}

// ---- Softmax and attention ------------------------------------------------------------------------------------

float max(const float* x, int64_t n) {
  float best = x[0];
  int64_t i = 0;
  if (n >= LANES) {
    V most = load(x);
    for (i = LANES; i + LANES <= n; i += LANES) most = max_of(most, load(x + i));
    best = max_lanes(most);
  }
  for (; i < n; i++) best = x[i] > best ? x[i] : best;
  return best;
}

double exp_sum(const float* x, int64_t n, float top, float inverse_temperature, double* runs) {
  double total = 0;
  for (int64_t run = 0; run < n; run += kRun) {
    const int64_t end = smaller(n, run + kRun);
    V sum = {};
    int64_t i = run;
    for (; i + LANES <= end; i += LANES) sum += exponential((load(x + i) - top) * inverse_temperature);
    double part = sum_lanes(sum);
    if (i < end) {
      const V e = exponential((load_part(x + i, end - i) - top) * inverse_temperature);
      for (int64_t j = 0; j < end - i; j++) part += e[j];
    }
    if (runs) runs[run / kRun] = part;
    total += part;
  }
  return total;
}

double exp_weighted_difference(const float* p, const float* q, int64_t n, float top) {
  double total = 0;
  for (int64_t run = 0; run < n; run += kRun) {
    const int64_t end = smaller(n, run + kRun);
    V sum = {};
    int64_t i = run;
    for (; i + LANES <= end; i += LANES) {
      const V a = load(p + i);
      sum += exponential(a - top) * (a - load(q + i));
    }
    double part = sum_lanes(sum);
    if (i < end) {
      const V a = load_part(p + i, end - i), b = load_part(q + i, end - i);
      const V e = exponential(a - top) * (a - b);
      for (int64_t j = 0; j < end - i; j++) part += e[j];
    }
    total += part;
  }
  return total;
}

// Turns `count` scores into weights that sum to `1 / returned`.
inline float soften(float* scores, int64_t count) {
  const float top = max(scores, count);
  V sum = {};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const V e = exponential(load(scores + i) - top);
    store(scores + i, e);
    sum += e;
  }
  float total = sum_lanes(sum);
  if (i < count) {
    const V e = exponential(load_part(scores + i, count - i) - top);
    store_part(scores + i, e, count - i);
    for (int64_t j = 0; j < count - i; j++) total += e[j];
  }
  return 1 / total;
}

// scratch: scores [padded], keys transposed [head_width][padded], values [length][padded_width].
void attention_head(const float* q, const float* k, const float* v, int64_t length, int64_t stride,
                    int64_t head_width, float* scratch, float* out) {
  const int64_t padded = ceil_div(length, 64) * 64, padded_width = ceil_div(head_width, LANES) * LANES;
  float* scores = scratch;
  float* keys = scores + padded;
  float* values = keys + head_width * padded;
  for (int64_t d = 0; d < head_width; d++) {
    for (int64_t t = 0; t < length; t++) keys[d * padded + t] = k[t * stride + d];
    for (int64_t t = length; t < padded; t++) keys[d * padded + t] = 0;
  }
  for (int64_t t = 0; t < length; t++) {
    for (int64_t d = 0; d < padded_width; d++) values[t * padded_width + d] = d < head_width ? v[t * stride + d] : 0;
  }
  const float shrink = 1 / __builtin_sqrtf((float)head_width);
  for (int64_t t = 0; t < length; t++) {
    const float* query = q + t * stride;
    for (int64_t j = 0; j <= t; j += 4 * LANES) {
      V s[4] = {};
      for (int64_t d = 0; d < head_width; d++) {
        const V factor = splat(query[d]);
        const float* key = keys + d * padded + j;
#pragma GCC unroll 4
        for (int u = 0; u < 4; u++) s[u] += factor * load(key + u * LANES);
      }
      for (int u = 0; u < 4; u++) store(scores + j + u * LANES, s[u] * shrink);
    }
    const float inverse = soften(scores, t + 1);
    for (int64_t d = 0; d < head_width; d += LANES) {
      V sum[4] = {};
      int64_t j = 0;
      for (; j + 4 <= t + 1; j += 4) {
#pragma GCC unroll 4
        for (int u = 0; u < 4; u++) sum[u] += splat(scores[j + u]) * load(values + (j + u) * padded_width + d);
      }
      for (; j <= t; j++) sum[0] += splat(scores[j]) * load(values + j * padded_width + d);
      store_part(out + t * stride + d, ((sum[0] + sum[1]) + (sum[2] + sum[3])) * inverse,
                 smaller(LANES, head_width - d));
    }
  }
}

// out[c ..] = sum over t of weight(head of c, t) * v[t, c ..] for `count` vectors from column c on.
template <int count>
inline void weigh_values(const float* const* weights, const float* v, int64_t length, int64_t width, float* out) {
  V sum[count];
#pragma GCC unroll 16
  for (int j = 0; j < count; j++) sum[j] = V{};
  for (int64_t t = 0; t < length; t++) {
#pragma GCC unroll 16
    for (int j = 0; j < count; j++) sum[j] += splat(weights[j][t]) * load(v + t * width + j * LANES);
  }
#pragma GCC unroll 16
  for (int j = 0; j < count; j++) store(out + j * LANES, sum[j]);
}

// scratch: scores [heads][padded]. The cache is read front to back, for all heads together.
void attention_step(const float* q, const float* k, const float* v, int64_t length, int64_t heads,
                    int64_t head_width, float* scratch, float* out) {
  const int64_t padded = ceil_div(length, 64) * 64, width = heads * head_width;
  const float shrink = 1 / __builtin_sqrtf((float)head_width);
  for (int64_t t = 0; t < length; t++) {
    for (int64_t h = 0; h < heads; h++) {
      scratch[h * padded + t] = shrink * dot(q + h * head_width, k + t * width + h * head_width, head_width);
    }
  }
  for (int64_t h = 0; h < heads; h++) {
    float* scores = scratch + h * padded;
    const float inverse = soften(scores, length);
    for (int64_t t = 0; t < length; t++) scores[t] *= inverse;
  }
  if (head_width % LANES != 0) {
    for (int64_t h = 0; h < heads; h++) {
      const int64_t at = h * head_width;
      weighted_rows(
          length, head_width, nullptr, out + at, [&](int64_t t) { return v + t * width + at; },
          [&](int64_t t) { return scratch[h * padded + t]; });
    }
    return;
  }
  for (int64_t c = 0; c < width;) {
    const int64_t left = (width - c) / LANES;
    const float* weights[16];
    for (int64_t j = 0; j < smaller(16, left); j++) weights[j] = scratch + (c + j * LANES) / head_width * padded;
    const int64_t count = left >= 16 ? 16 : left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const float* from = v + c;
    if (count == 16) weigh_values<16>(weights, from, length, width, out + c);
    else if (count == 8) weigh_values<8>(weights, from, length, width, out + c);
    else if (count == 4) weigh_values<4>(weights, from, length, width, out + c);
    else if (count == 2) weigh_values<2>(weights, from, length, width, out + c);
    else weigh_values<1>(weights, from, length, width, out + c);
    c += count * LANES;
  }
}

}  // namespace
}  // namespace monosem
