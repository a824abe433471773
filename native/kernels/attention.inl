// Softmax over a row, and the attention of one query to a cache.

namespace monosem {
namespace {

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

double exp_sum(const float* x, int64_t n, float top) {
  V sum = {};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) sum += exponential(load(x + i) - top);
  double total = sum_lanes(sum);
  if (i < n) {
    const V e = exponential(load_part(x + i, n - i) - top);
    for (int64_t j = 0; j < n - i; j++) total += e[j];
  }
  return total;
}

double exp_weighted_difference(const float* p, const float* q, int64_t n, float top) {
  V sum = {};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const V a = load(p + i);
    sum += exponential(a - top) * (a - load(q + i));
  }
  double total = sum_lanes(sum);
  if (i < n) {
    const V a = load_part(p + i, n - i), b = load_part(q + i, n - i);
    const V e = exponential(a - top) * (a - b);
    for (int64_t j = 0; j < n - i; j++) total += e[j];
  }
  return total;
}

// Turns `count` scores, times `scale`, into weights that sum to `1 / returned`.
inline float soften(float* scores, int64_t count, float scale) {
  const float top = max(scores, count);
  V sum = {};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const V e = exponential((load(scores + i) - top) * scale);
    store(scores + i, e);
    sum += e;
  }
  float total = sum_lanes(sum);
  if (i < count) {
    const V e = exponential((load_part(scores + i, count - i) - top) * scale);
    store_part(scores + i, e, count - i);
    for (int64_t j = 0; j < count - i; j++) total += e[j];
  }
  return 1 / total;
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
    const float inverse = soften(scores, length, 1);
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
