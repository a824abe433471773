// The dense product in float32, on the vectors of the set: see dense.inl.

namespace monosem {
namespace {

struct Fp32Product {
  static constexpr int kStrip = monosem::kStrip, kPanel = monosem::kPanel, kBytes = 4, kInputs = 1;
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
    V c[TILE_ROWS][TILE_VECTORS];
    tile(reinterpret_cast<const float*>(strip), reinterpret_cast<const float*>(panel), inputs, c);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) block.values[r][j] = c[r][j];
  }

  static void pack_rows(const float* x, int64_t stride, int64_t rows, int64_t inputs, char* strip) {
    pack_strips(x, stride, rows, inputs, reinterpret_cast<float*>(strip));
  }

  static void pack_panel(const float* weight, int64_t stride, int64_t outputs, int64_t inputs, char* panel) {
    const float* rows[monosem::kPanel];
    for (int64_t i = 0; i < outputs; i++) rows[i] = weight + i * stride;
    interleave<monosem::kPanel>(rows, outputs, inputs, reinterpret_cast<float*>(panel));
  }

  // weight[input * stride + output], zeros from `inputs` to `padded`.
  static void pack_panel_transposed(const float* weight, int64_t stride, int64_t outputs, int64_t inputs,
                                    int64_t padded, char* panel) {
    float* to = reinterpret_cast<float*>(panel);
    if (outputs == kPanel) {
      for (int64_t i = 0; i < inputs; i++)
#pragma GCC unroll 4
        for (int j = 0; j < TILE_VECTORS; j++) store(to + i * kPanel + j * LANES, load(weight + i * stride + j * LANES));
    } else {
      __builtin_memset(to, 0, inputs * kPanel * sizeof(float));
      for (int64_t i = 0; i < inputs; i++)
        for (int64_t o = 0; o < outputs; o++) to[i * kPanel + o] = weight[i * stride + o];
    }
    for (int64_t i = inputs * kPanel; i < padded * kPanel; i++) to[i] = 0;
  }

  // Values of a row from `column` on, of `inputs` in all.
  static void put(char* strip, int64_t r, int64_t column, int64_t inputs, const V values[TILE_VECTORS]) {
    float* to = reinterpret_cast<float*>(strip) + column * kStrip + r;
    const int64_t count = smaller(kPanel, inputs - column);
    float lanes[monosem::kPanel];
    for (int j = 0; j < TILE_VECTORS; j++) store(lanes + j * LANES, values[j]);
    if (count == kPanel) {
#pragma GCC unroll 32
      for (int64_t i = 0; i < kPanel; i++) to[i * kStrip] = lanes[i];
    } else {
      for (int64_t i = 0; i < count; i++) to[i * kStrip] = lanes[i];
    }
  }
};

constexpr DenseProduct kDenseFp32 = dense_product<Fp32Product>();

}  // namespace
}  // namespace monosem
