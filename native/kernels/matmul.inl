// Packing into panels and strips, and the product of packed operands in float32.

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

}  // namespace
}  // namespace monosem
