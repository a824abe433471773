// Sums of a few rows of a large matrix: decode, and gradients over active latents.

namespace monosem {
namespace {

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
                const float* m, int64_t width, const float* start, float* out) {
  weighted_rows(
      count, width, start, out, [&](int64_t e) { return m + rows[e] * width; },
      [&](int64_t e) { return coefficients[entries[e]]; });
}

double slice_squares(const SliceSums* parts, int64_t count, int64_t first, int64_t last) {
  constexpr int kVectors = kSlice / LANES < 8 ? kSlice / LANES : 8;
  constexpr int64_t kGroups = 32;  // whose squares are summed in float32
  double total = 0;
  for (int64_t some = first; some < last; some += kGroups) {
    V squares = {};
    for (int64_t group = some; group < smaller(last, some + kGroups); group++) {
      for (int64_t column = 0; column < kSlice; column += kVectors * LANES) {
        V sum[kVectors] = {};
        for (int64_t p = 0; p < count; p++) {
          const SliceSums& part = parts[p];
          for (uint32_t i = part.offsets[group]; i < part.offsets[group + 1]; i++) {
            const float* from = part.m + part.rows[i] * kSlice + column;
            const V factor = splat(part.coefficients[i]);
#pragma GCC unroll 8
            for (int j = 0; j < kVectors; j++) sum[j] += factor * load(from + j * LANES);
          }
        }
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; j++) squares += sum[j] * sum[j];
      }
    }
    total += sum_lanes(squares);
  }
  return total;
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

}  // namespace
}  // namespace monosem
