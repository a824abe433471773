// Causal attention of one head, a strip of queries at a time, with the products of dense.inl: scores of a strip
// against all keys up to its last query, softmax, and the mix of the values. No more than a strip of scores is kept.

namespace monosem {
namespace {

// Turns the first `count` scores, times `scale`, into weights that sum to `1 / returned`, and those up to `padded`,
// whole vectors, into zeros.
inline float soften_part(float* scores, int64_t count, int64_t padded, float scale) {
  const int64_t last = (count - 1) / LANES * LANES;
  VI lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  const V tail = lane < (std::int32_t)(count - last) ? load(scores + last) : splat(-__builtin_inff());
  V most = tail;
  for (int64_t i = 0; i < last; i += LANES) most = max_of(most, load(scores + i));
  const float top = max_lanes(most);
  V sum = exponential((tail - top) * scale);
  store(scores + last, sum);
  for (int64_t i = 0; i < last; i += LANES) {
    const V e = exponential((load(scores + i) - top) * scale);
    store(scores + i, e);
    sum += e;
  }
  for (int64_t i = last + LANES; i < padded; i += LANES) store(scores + i, V{});
  return 1 / sum_lanes(sum);
}

template <class P>
void attention_head(const float* q, const float* k, const float* v, int64_t length, int64_t stride,
                    int64_t head_width, float* scratch, float* out) {
  const typename P::Scope scope;
  const int64_t keys = round_up(length, P::kPanel);
  float* scores = scratch;
  float* inverse = scores + P::kStrip * keys;
  char* next = reinterpret_cast<char*>(inverse + keys);
  const auto take = [&](int64_t bytes) {
    char* taken = next + (-reinterpret_cast<std::uintptr_t>(next) & 63);
    next = taken + bytes;
    return taken;
  };
  char* query_strip = take(strip_size<P>(head_width));
  char* weight_strip = take(strip_size<P>(keys));
  char* packed_keys = take(keys / P::kPanel * panel_size<P>(head_width));
  const int64_t value_panels = ceil_div(head_width, P::kPanel), value_bytes = panel_size<P>(keys);
  char* packed_values = take(value_panels * value_bytes);

  for (int64_t t = 0; t < length; t += P::kPanel) {
    P::pack_panel(k + t * stride, stride, smaller(P::kPanel, length - t), head_width,
                  packed_keys + t / P::kPanel * panel_size<P>(head_width));
  }
  for (int64_t p = 0; p < value_panels; p++) {
    P::pack_panel_transposed(v + p * P::kPanel, stride, smaller(P::kPanel, head_width - p * P::kPanel), length, keys,
                             packed_values + p * value_bytes);
  }
  const float shrink = 1 / __builtin_sqrtf((float)head_width);
  for (int64_t first = 0; first < length; first += P::kStrip) {
    const int64_t rows = smaller(P::kStrip, length - first);
    const int64_t seen = first + rows, padded = round_up(seen, P::kPanel);
    P::pack_rows(q + first * stride, stride, rows, head_width, query_strip);
    multiply_blocks<P>(query_strip, rows, packed_keys, panel_size<P>(head_width), 0, padded / P::kPanel, head_width,
                       [&](int64_t row, int64_t panel, const typename P::Block& block, int64_t r) {
#pragma GCC unroll 4
                         for (int j = 0; j < P::kVectors; j++)
                           store(scores + row * keys + panel * P::kPanel + j * LANES, block.get(r, j));
                       });
    for (int64_t r = 0; r < rows; r++) {
      inverse[r] = soften_part(scores + r * keys, first + r + 1, padded, shrink);
    }
    P::pack_rows(scores, keys, rows, padded, weight_strip);
    multiply_blocks<P>(weight_strip, rows, packed_values, value_bytes, 0, value_panels, padded,
                       [&](int64_t row, int64_t panel, const typename P::Block& block, int64_t r) {
#pragma GCC unroll 4
                         for (int j = 0; j < P::kVectors; j++) {
                           const int64_t column = panel * P::kPanel + j * LANES;
                           const int64_t count = smaller(LANES, head_width - column);
                           if (count > 0)
                             store_part(out + (first + row) * stride + column, block.get(r, j) * inverse[row], count);
                         }
                       });
  }
}

template <class P>
constexpr DenseProduct dense_product() {
  return {P::kStrip,          P::kPanel,         P::kBytes,     P::kInputs,
          pack<P>,            pack_rows<P>,      pack_transposed<P>, multiply<P>,
          multiply_gated<P>,  attention_head<P>, power_sums<P>, largest<P>};
}

}  // namespace
}  // namespace monosem
