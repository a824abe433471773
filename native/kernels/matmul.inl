// Packing into panels and strips in float32, and the product of a strip and a panel.

namespace monosem {
namespace {

// `count` rows of `source` (rows[i] apart) interleaved as [inputs][width], the missing ones zero.
template <int width>
void interleave(const float* const* rows, int64_t count, int64_t inputs, float* out) {
#if defined(__AVX512F__)
  const int64_t turned = inputs / 16 * 16;
  for (int64_t i = 0; i < turned; i += 16) {
#pragma GCC unroll 2
    for (int first = 0; first < width; first += 16) {
      constexpr int kLast = width % 16 == 0 ? 16 : width % 16;
      const int lanes = first + 16 <= width ? 16 : kLast;
      __m512i words[16];
#pragma GCC unroll 16
      for (int r = 0; r < 16; r++)
        words[r] = r < lanes && first + r < count ? _mm512_loadu_si512(rows[first + r] + i) : __m512i{};
      transpose(words);
#pragma GCC unroll 16
      for (int c = 0; c < 16; c++)
        _mm512_mask_storeu_epi32(out + (i + c) * width + first, (__mmask16)((1u << lanes) - 1), words[c]);
    }
  }
  for (int64_t i = turned; i < inputs; i++) {
    for (int r = 0; r < width; r++) out[i * width + r] = r < count ? rows[r][i] : 0;
  }
#else
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
#endif
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
