// The encoder's product with the processor's matrix tiles: 32 rows x 32 columns at a time, and while the tiles
// multiply, the vector units compare the block before; without branches, as a wrong guess would leave the tiles idle. Layouts: a strip is, for each 32 inputs, two tiles of
// [16 rows][32 inputs]; a panel, for each 32 inputs, two tiles of [16 input pairs][16 columns][2].
#include "tiles.h"

namespace monosem {
namespace {

constexpr int kBlock = 32;  // rows of a strip, columns of a panel
constexpr int64_t kStepBytes = 2 * kTileBytes;

// Sums of products of one block of 32 rows and columns, tile after tile.
struct alignas(64) Sums {
  float tile[4][16][16];
};

// A block that is to be compared, and which of its columns pass, for each row.
struct alignas(64) Block {
  Sums sums;
  uint32_t masks[kBlock];
};

void pack_rows_tiles(const float* x, int64_t rows, int64_t width, void* strip, float* norm, float* rounding) {
  for (int64_t i = 0, step = 0; i < width; i += kTileInputs, step++) {
    char* to = static_cast<char*>(strip) + step * kStepBytes;
    for (int64_t r = 0; r < kBlock; r++) {
      const __m512i pairs = r < rows ? round_pairs(x + r * width + i, width - i) : _mm512_setzero_si512();
      _mm512_storeu_si512(to + r * 64, pairs);
    }
  }
  if (norm) row_norms(x, rows, width, norm, rounding);
}

// Rows and columns of 16 x 16 pairs change places.
inline void transpose(__m512i m[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(m[2 * i], m[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(m[2 * i], m[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    m[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    m[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    m[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    m[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(m[i], m[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(m[i], m[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(m[8 + i], m[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(m[8 + i], m[12 + i], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    m[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    m[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    m[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    m[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

void pack_columns_tiles(const EncodeOperands& operands, int64_t first, int64_t columns, void* panel, float* norm,
                        float* rounding) {
  const int64_t width = operands.width;
  for (int64_t i = 0, step = 0; i < width; i += kTileInputs, step++) {
    for (int64_t half = 0; half < 2; half++) {
      __m512i pairs[16];
      for (int64_t c = 0; c < 16; c++) {
        const int64_t column = half * 16 + c;
        pairs[c] = column < columns ? round_pairs(column_of(operands, first + column) + i, width - i)
                                    : _mm512_setzero_si512();
      }
      transpose(pairs);
      char* to = static_cast<char*>(panel) + step * kStepBytes + half * kTileBytes;
      for (int64_t c = 0; c < 16; c++) _mm512_storeu_si512(to + c * 64, pairs[c]);
    }
  }
  if (norm) column_norms(operands, first, columns, norm, rounding);
}

template <bool scouting>
inline __attribute__((always_inline)) Products products_at(const Scan& scan, const Block& block, int64_t row,
                                                           int64_t at) {
  const int64_t half = row / 16 * 2;
  return products_of<scouting>(scan, row, at, load(block.sums.tile[half][row % 16]),
                               load(block.sums.tile[half + 1][row % 16]));
}

// Notes which products of some rows pass.
template <bool scouting>
inline __attribute__((always_inline)) void compare(const Scan& scan, Block& block, int64_t first, int64_t last,
                                                   int64_t at) {
  for (int64_t r = first; r < last; r++)
    block.masks[r] = passing<scouting>(scan, r, at, products_at<scouting>(scan, block, r, at));
}

// Puts what passed into the rows' lists.
template <bool scouting>
inline __attribute__((always_inline)) void take_all(const Scan& scan, const Block& block, int64_t at) {
  uint32_t rows = _mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks), _mm512_setzero_si512()) |
                  (uint32_t)_mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks + 16), _mm512_setzero_si512()) << 16;
  for (; rows; rows &= rows - 1) {
    const int64_t r = __builtin_ctz(rows);
    take(scan, r, at, products_at<scouting>(scan, block, r, at), block.masks[r]);
  }
}

// out = in + the products of `steps` tiles of a strip and of a panel; `in` may be null. Calls during(step) beside the
// products of each step, and after() once they are all on their way.
template <class During, class After>
inline __attribute__((always_inline)) void multiply(const char* a, const char* b, int64_t steps, const Sums* in,
                                                    Sums& out, During during, After after) {
  if (in) {
    tile_load<0>(in->tile[0]);
    tile_load<1>(in->tile[1]);
    tile_load<2>(in->tile[2]);
    tile_load<3>(in->tile[3]);
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
  tile_store<0>(out.tile[0]);
  tile_store<2>(out.tile[2]);
  for (int64_t step = steps - skewed; step < steps; step++) {
    tile_load<7>(b + step * kStepBytes + kTileBytes);
    tile_load<4>(a + step * kStepBytes);
    tile_multiply<1, 4, 7>();
    tile_load<5>(a + step * kStepBytes + kTileBytes);
    tile_multiply<3, 5, 7>();
  }
  tile_store<1>(out.tile[1]);
  tile_store<3>(out.tile[3]);
}

// A long row is multiplied in stretches, each with all panels before the next: 16 KB of the strip then stay in the
// nearest cache while panels stream by.
constexpr int64_t kStretch = 8;

template <bool scouting>
void scan_tiles_as(const Scan& scan) {
  const Tiles tiles;
  Block block;
  __builtin_memset(block.masks, 0, sizeof block.masks);
  Sums* partial = reinterpret_cast<Sums*>(scan.partial);
  const int64_t steps = ceil_div(scan.operands->width, kTileInputs), panels = ceil_div(scan.columns, kBlock);
  const int64_t stretches = steps <= kStretch * 3 / 2 ? 1 : ceil_div(steps, kStretch);
  const int64_t stretch = ceil_div(steps, stretches);
  const char* strip = static_cast<const char*>(scan.strip);
  for (int64_t first = 0; first < steps; first += stretch) {
    const int64_t count = smaller(stretch, steps - first), rows_a_step = ceil_div(scan.rows, count);
    const bool last = first + count == steps;
    for (int64_t p = 0; p < panels; p++) {
      const char* panel = static_cast<const char*>(scan.panels) + (p * steps + first) * kStepBytes;
      const Sums* before = first > 0 ? partial + p : nullptr;
      if (!last || p == 0) {
        multiply(strip + first * kStepBytes, panel, count, before, last ? block.sums : partial[p], [](int64_t) {}, [] {});
        continue;
      }
      const int64_t at = (p - 1) * kBlock;
      const auto compare_some = [&](int64_t step) {
        const int64_t row = smaller(step * rows_a_step, scan.rows);
        compare<scouting>(scan, block, row, smaller(row + rows_a_step, scan.rows), at);
      };
      multiply(strip + first * kStepBytes, panel, count, before, block.sums, compare_some,
               [&] { take_all<scouting>(scan, block, at); });
    }
  }
  compare<scouting>(scan, block, 0, scan.rows, (panels - 1) * kBlock);
  take_all<scouting>(scan, block, (panels - 1) * kBlock);
}

void scan_tiles(const Scan& scan) {
  if (scan.norm) scan_tiles_as<true>(scan);
  else scan_tiles_as<false>(scan);
}

constexpr EncodeProduct kEncodeTiles = {kBlock,          kBlock,             2,         kTileInputs, true,
                                        pack_rows_tiles, pack_columns_tiles, scan_tiles};

}  // namespace
}  // namespace monosem
