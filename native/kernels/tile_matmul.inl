// The dense product with the processor's matrix tiles: see dense.inl. Blocks of 32 rows x 32 outputs. A strip is, for
// each 32 inputs, two tiles of [16 rows][32 inputs]; a panel, for each 32 inputs, two tiles (outputs 0..15, then
// 16..31) of [16 input pairs][16 outputs][2].

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
    for (int64_t i = 0; i < inputs; i += kTileInputs, strip += kStepBytes) {
      for (int64_t r = 0; r < kStrip; r++)
        _mm512_storeu_si512(strip + r * 64, r < rows ? round_pairs(x + r * stride + i, inputs - i) : __m512i{});
    }
  }

  static void pack_panel(const float* weight, int64_t stride, int64_t outputs, int64_t inputs, char* panel) {
    for (int64_t i = 0; i < inputs; i += kTileInputs) {
      for (int64_t half = 0; half < 2; half++, panel += kTileBytes) {
        __m512i pairs[16];
        for (int64_t o = 0; o < 16; o++) {
          const int64_t output = half * 16 + o;
          pairs[o] = output < outputs ? round_pairs(weight + output * stride + i, inputs - i) : __m512i{};
        }
        transpose(pairs);
        for (int64_t pair = 0; pair < 16; pair++) _mm512_storeu_si512(panel + pair * 64, pairs[pair]);
      }
    }
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
