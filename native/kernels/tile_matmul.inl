// The dense product with the processor's matrix tiles: see dense.inl, and tile_blocks.inl for the layouts.

namespace monosem {
namespace {

struct TileProduct {
  static constexpr int kStrip = kBlock, kPanel = kBlock, kBytes = 2, kInputs = kTileInputs;
  static constexpr int kVectors = 2;
  using Scope = Tiles;
  struct Block {
    Sums sums;
    V get(int64_t r, int j) const { return load(sums.row[r] + j * LANES); }
  };
  static int64_t steps(int64_t inputs) { return ceil_div(inputs, kTileInputs); }

  template <class Meanwhile>
  static inline __attribute__((always_inline)) void product(const char* strip, const char* panel, int64_t inputs,
                                                            Block& block, Meanwhile meanwhile) {
    multiply(strip, panel, steps(inputs), nullptr, block.sums, meanwhile, [] {});
  }

  static void pack_rows(const float* x, int64_t stride, int64_t rows, int64_t inputs, char* strip) {
    pack_strip_tiles([&](int64_t r) { return x + r * stride; }, rows, inputs, strip);
  }

  static void pack_panel(const float* weight, int64_t stride, int64_t outputs, int64_t inputs, char* panel) {
    pack_panel_tiles([&](int64_t o) { return weight + o * stride; }, outputs, inputs, panel);
  }

  // weight[input * stride + output], zeros from `inputs` to `padded`.
  static void pack_panel_transposed(const float* weight, int64_t stride, int64_t outputs, int64_t inputs,
                                    int64_t padded, char* panel) {
    for (int64_t i = 0; i < padded; i += kTileInputs) {
      for (int64_t half = 0; half < 2; half++, panel += kTileBytes) {
        for (int64_t pair = 0; pair < 16; pair++) {
          const int64_t input = i + 2 * pair;
          _mm512_storeu_si512(panel + pair * 64, pair_rows(weight + input * stride + half * 16, stride,
                                                           outputs - half * 16, inputs - input));
        }
      }
    }
  }

  // Values of a row from `column` on, of `inputs` in all.
  static void put(char* strip, int64_t r, int64_t column, int64_t, const V values[2]) {
    _mm512_storeu_si512(strip + column / kTileInputs * kStepBytes + r * 64,
                        (__m512i)_mm512_cvtne2ps_pbh((__m512)values[1], (__m512)values[0]));
  }
};

constexpr DenseProduct kDenseTiles = dense_product<TileProduct>();

}  // namespace
}  // namespace monosem
