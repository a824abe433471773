// Blocks of 32 rows and 32 columns in the processor's matrix tiles, for the encoder and for dense products. A strip is,
// for each 32 inputs, two tiles of [16 rows][32 inputs]; a panel, for each 32 inputs, two tiles (columns 0..15, then
// 16..31) of [16 input pairs][16 columns][2].
#include "tiles.h"

namespace monosem {
namespace {

constexpr int kBlock = 32;  // rows of a strip, columns of a panel
constexpr int64_t kStepBytes = 2 * kTileBytes;

// Sums of products of one block of 32 rows and columns.
struct alignas(64) Sums {
  float row[kBlock][kBlock];
};

// Rounds `rows` rows of `inputs` values, row(r), to a strip. The missing ones are zero.
template <class Row>
inline void pack_strip_tiles(Row row, int64_t rows, int64_t inputs, char* strip) {
  for (int64_t i = 0; i < inputs; i += kTileInputs, strip += kStepBytes) {
    for (int64_t r = 0; r < kBlock; r++)
      _mm512_storeu_si512(strip + r * 64, r < rows ? round_pairs(row(r) + i, inputs - i) : __m512i{});
  }
}

// Rounds the weights of `columns` columns, weight(c) of `inputs` values each, to a panel. The missing ones are zero.
template <class Weight>
inline void pack_panel_tiles(Weight weight, int64_t columns, int64_t inputs, char* panel) {
  for (int64_t i = 0; i < inputs; i += kTileInputs) {
    for (int64_t half = 0; half < 2; half++, panel += kTileBytes) {
      __m512i pairs[16];
      for (int64_t c = 0; c < 16; c++) {
        const int64_t column = half * 16 + c;
        pairs[c] = column < columns ? round_pairs(weight(column) + i, inputs - i) : __m512i{};
      }
      transpose(pairs);
      for (int64_t pair = 0; pair < 16; pair++) _mm512_storeu_si512(panel + pair * 64, pairs[pair]);
    }
  }
}

// out = in + the products of `steps` tiles of a strip and of a panel; `in` may be null. Calls during(step) beside the
// products of each step, and after() once they are all on their way.
template <class During, class After>
inline __attribute__((always_inline)) void multiply(const char* a, const char* b, int64_t steps, const Sums* in,
                                                    Sums& out, During during, After after) {
  if (in) {
    tile_load<0>(in->row[0], sizeof in->row[0]);
    tile_load<1>(in->row[0] + 16, sizeof in->row[0]);
    tile_load<2>(in->row[16], sizeof in->row[0]);
    tile_load<3>(in->row[16] + 16, sizeof in->row[0]);
  } else {
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
  }
  // Two tiles finish some steps after the other two: the processor takes two stores of a tile in its stride, not four.
  const int64_t skewed = steps < 2 ? 0 : 2;
  for (int64_t step = 0; step < steps; step++) {
    tile_load<6>(b + step * kStepBytes);
    tile_load<4>(a + step * kStepBytes);
    tile_multiply<0, 4, 6>();
    tile_load<5>(a + step * kStepBytes + kTileBytes);
    tile_multiply<2, 5, 6>();
    if (step < steps - skewed) {
      tile_load<7>(b + step * kStepBytes + kTileBytes);
      tile_multiply<1, 4, 7>();
      tile_multiply<3, 5, 7>();
    }
    during(step);
  }
  after();
  tile_store<0>(out.row[0], sizeof out.row[0]);
  tile_store<2>(out.row[16], sizeof out.row[0]);
  for (int64_t step = steps - skewed; step < steps; step++) {
    tile_load<7>(b + step * kStepBytes + kTileBytes);
    tile_load<4>(a + step * kStepBytes);
    tile_multiply<1, 4, 7>();
    tile_load<5>(a + step * kStepBytes + kTileBytes);
    tile_multiply<3, 5, 7>();
  }
  tile_store<1>(out.row[0] + 16, sizeof out.row[0]);
  tile_store<3>(out.row[16] + 16, sizeof out.row[0]);
}

}  // namespace
}  // namespace monosem
