// The encoder's product with the processor's matrix tiles: 32 rows x 32 columns at a time, and while the tiles
// multiply, the vector units compare the block before; without branches, as a wrong guess would leave the tiles idle. Layouts: a strip is, for each 32 inputs, two tiles of
// [16 rows][32 inputs]; a panel, for each 32 inputs, two tiles of [16 input pairs][16 columns][2].
#include "tiles.h"

namespace monosem {
namespace {

constexpr int kBlock = 32;  // rows of a strip, columns of a panel
constexpr int64_t kStepBytes = 2 * kTileBytes;

// Products of one block of 32 rows and columns, tile after tile, and which of them pass.
struct alignas(64) Block {
  float values[4][16][16];
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
  return products_of<scouting>(scan, row, at, load(block.values[half][row % 16]),
                               load(block.values[half + 1][row % 16]));
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

template <bool scouting>
void scan_tiles_as(const Scan& scan) {
  const Tiles tiles;
  Block block;
  __builtin_memset(block.masks, 0, sizeof block.masks);
  const int64_t steps = ceil_div(scan.operands->width, kTileInputs);
  const int64_t rows_a_step = ceil_div(scan.rows, steps);
  // Two tiles finish some steps after the other two: the processor takes two stores of a tile in its stride, not four.
  const int64_t skewed = steps < 2 ? 0 : 2;
  const char* strip = static_cast<const char*>(scan.strip);
  for (int64_t at = 0; at < scan.columns; at += kBlock) {
    const char* panel = static_cast<const char*>(scan.panels) + at / kBlock * steps * kStepBytes;
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
    for (int64_t step = 0; step < steps; step++) {
      const char* a = strip + step * kStepBytes;
      const char* b = panel + step * kStepBytes;
      tile_load<6>(b);
      tile_load<4>(a);
      tile_multiply<0, 4, 6>();
      tile_load<5>(a + kTileBytes);
      tile_multiply<2, 5, 6>();
      if (step < steps - skewed) {
        tile_load<7>(b + kTileBytes);
        tile_multiply<1, 4, 7>();
        tile_multiply<3, 5, 7>();
      }
      if (at > 0) {
        const int64_t first = smaller(step * rows_a_step, scan.rows);
        compare<scouting>(scan, block, first, smaller(first + rows_a_step, scan.rows), at - kBlock);
      }
    }
    if (at > 0) take_all<scouting>(scan, block, at - kBlock);
    tile_store<0>(block.values[0]);
    tile_store<2>(block.values[2]);
    for (int64_t step = steps - skewed; step < steps; step++) {
      const char* a = strip + step * kStepBytes;
      tile_load<7>(panel + step * kStepBytes + kTileBytes);
      tile_load<4>(a);
      tile_multiply<1, 4, 7>();
      tile_load<5>(a + kTileBytes);
      tile_multiply<3, 5, 7>();
    }
    tile_store<1>(block.values[1]);
    tile_store<3>(block.values[3]);
  }
  const int64_t last = (scan.columns - 1) / kBlock * kBlock;
  compare<scouting>(scan, block, 0, scan.rows, last);
  take_all<scouting>(scan, block, last);
}

void scan_tiles(const Scan& scan) {
  if (scan.norm) scan_tiles_as<true>(scan);
  else scan_tiles_as<false>(scan);
}

constexpr EncodeProduct kEncodeTiles = {kBlock,          kBlock,             2,         kTileInputs, true,
                                        pack_rows_tiles, pack_columns_tiles, scan_tiles};

}  // namespace
}  // namespace monosem
