// The dense product with AVX-512's dot products of bfloat16 pairs: see dense.inl. A strip is [pairs][rows][2], a
// panel [pairs][outputs][2].

namespace monosem {
namespace {

struct PairProduct {
  static constexpr int kStrip = monosem::kStrip, kPanel = monosem::kPanel, kBytes = 2, kInputs = 2;
  static constexpr int kVectors = TILE_VECTORS;
  struct Scope {
    Scope() {}
  };
  struct Block {
    V values[TILE_ROWS][TILE_VECTORS];
    V get(int64_t r, int j) const { return values[r][j]; }
  };
  static int64_t steps(int64_t) { return 1; }

  template <class Meanwhile>
  static void product(const char* strip, const char* panel, int64_t inputs, Block& block, Meanwhile meanwhile) {
    meanwhile(0);
    __m512 c[TILE_ROWS][TILE_VECTORS];
    tile_pairs(reinterpret_cast<const uint32_t*>(strip), reinterpret_cast<const uint32_t*>(panel), ceil_div(inputs, 2),
               c);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) block.values[r][j] = (V)c[r][j];
  }

  static void pack_rows(const float* x, int64_t stride, int64_t rows, int64_t inputs, char* strip) {
    interleave_pairs<kStrip>([&](int64_t r) { return x + r * stride; }, rows, inputs,
                             reinterpret_cast<uint32_t*>(strip));
  }

  static void pack_panel(const float* weight, int64_t stride, int64_t outputs, int64_t inputs, char* panel) {
    interleave_pairs<kPanel>([&](int64_t o) { return weight + o * stride; }, outputs, inputs,
                             reinterpret_cast<uint32_t*>(panel));
  }

  // weight[input * stride + output], zeros from `inputs` to `padded`.
  static void pack_panel_transposed(const float* weight, int64_t stride, int64_t outputs, int64_t inputs,
                                    int64_t padded, char* panel) {
    for (int64_t i = 0; i < ceil_div(padded, 2); i++) {
      for (int64_t j = 0; j < TILE_VECTORS; j++)
        _mm512_storeu_si512(panel + (i * kPanel + j * LANES) * 4,
                            pair_rows(weight + 2 * i * stride + j * LANES, stride, outputs - j * LANES, inputs - 2 * i));
    }
  }

  // Values of a row from `column` on, of `inputs` in all.
  static void put(char* strip, int64_t r, int64_t column, int64_t inputs, const V values[TILE_VECTORS]) {
    uint32_t rounded[16];
    _mm512_storeu_si512(rounded, (__m512i)_mm512_cvtne2ps_pbh((__m512)values[1], (__m512)values[0]));
    uint32_t* to = reinterpret_cast<uint32_t*>(strip) + column / 2 * kStrip + r;
    const int64_t count = smaller(kPanel / 2, ceil_div(inputs - column, 2));
    for (int64_t i = 0; i < count; i++) to[i * kStrip] = rounded[i];
  }
};

constexpr DenseProduct kDensePairs = dense_product<PairProduct>();

}  // namespace
}  // namespace monosem
