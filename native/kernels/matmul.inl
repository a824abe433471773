// Packing into panels and strips in float32, and the product of a strip and a panel.

namespace monosem {
namespace {

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

// Rows `stride` apart.
void pack_strips(const float* x, int64_t stride, int64_t rows, int64_t inputs, float* strips) {
  for (int64_t first = 0; first < rows; first += kStrip) {
    const int64_t count = smaller(kStrip, rows - first);
    const float* source[kStrip];
    for (int64_t i = 0; i < count; i++) source[i] = x + (first + i) * stride;
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

}  // namespace
}  // namespace monosem
