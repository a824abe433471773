// What a transformer does to one row by itself: norms, and its position.

namespace monosem {
namespace {

// out = x / scale, scale = sqrt(mean x^2 + epsilon), which it returns.
float rms_norm_row(const float* x, int64_t n, float epsilon, float* out) {
  const float scale = __builtin_sqrtf(dot(x, x, n) / (float)n + epsilon);
  scale_row(x, 1 / scale, n, out);
  return scale;
}

// out = (x - mean x) / scale, scale = sqrt(mean (x - mean x)^2 + epsilon), which it returns.
float layer_norm_row(const float* x, int64_t n, float epsilon, float* out) {
  V sum = {};
  auto add_up = [&](int64_t i, int64_t c) { sum += load_part(x + i, c); };
  FOR_VECTORS(n, add_up);
  const float mean = sum_lanes(sum) / (float)n;
  auto subtract = [&](int64_t i, int64_t c) { store_part(out + i, load_part(x + i, c) - mean, c); };
  FOR_VECTORS(n, subtract);
  return rms_norm_row(out, n, epsilon, out);
}

// Turns the pairs (2i, 2i + 1) of each head by the angles whose cosines and sines are given, in place.
void rotate_row(float* row, int64_t heads, int64_t head_width, const float* __restrict cos,
                const float* __restrict sin) {
  for (int64_t h = 0; h < heads; h++) {
    float* x = row + h * head_width;
#pragma GCC ivdep
    for (int64_t i = 0; i < head_width / 2; i++) {
      const float even = x[2 * i], odd = x[2 * i + 1];
      x[2 * i] = even * cos[i] - odd * sin[i];
      x[2 * i + 1] = even * sin[i] + odd * cos[i];
    }
  }
}

}  // namespace
}  // namespace monosem
