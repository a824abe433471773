// The encoder's product with the processor's matrix tiles: 32 rows x 32 columns at a time, and while the tiles
// multiply, the vector units compare the block before; without branches, as a wrong guess would leave the tiles idle. Layouts: a strip is, for each 32 inputs, two tiles of
// [16 rows][32 inputs]; a panel, for each 32 inputs, two tiles of [16 input pairs][16 columns][2].
#include "tiles.h"

namespace monosem {
namespace {

constexpr int kBlock = 32;  // rows of a strip, columns of a panel
constexpr int64_t kStepBytes = 2 * kTileBytes;

// Sums of products of one block of 32 rows and columns.
struct alignas(64) Sums {
  float row[kBlock][kBlock];
};

// What the comparison reads of a strip's rows: their thresholds and norms as in RowList, side by side.
struct alignas(64) RowBounds {
  float threshold[kBlock], norm[kBlock], rounding[kBlock];
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

// A block that is to be compared, of the group's columns from `at` on, and which of them pass, for each row.
struct alignas(64) Block {
  Sums sums;
  uint32_t masks[kBlock];
  int64_t at;
};

template <bool scouting>
inline __attribute__((always_inline)) Products products_at(const PanelColumns& columns, const RowBounds& bounds,
                                                           const Block& block, int64_t row) {
  return products_of<scouting>(columns, bounds.norm[row], bounds.rounding[row], load(block.sums.row[row]),
                               load(block.sums.row[row] + LANES));
}

// Puts what passed into the rows' lists.
template <bool scouting>
inline __attribute__((always_inline)) void take_all(const Scan& scan, const PanelColumns& columns, RowBounds& bounds,
                                                    const Block& block) {
  uint32_t rows = _mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks), _mm512_setzero_si512()) |
                  (uint32_t)_mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks + 16), _mm512_setzero_si512()) << 16;
  for (; rows; rows &= rows - 1) {
    const int64_t r = __builtin_ctz(rows);
    take(scan, r, block.at, products_at<scouting>(columns, bounds, block, r), block.masks[r]);
    bounds.threshold[r] = scan.lists[r].threshold;
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

// A long row is multiplied in stretches, each with all panels before the next: 16 KB of the strip then stay in the
// nearest cache while panels stream by.
constexpr int64_t kStretch = 8;

template <bool scouting, bool by_column>
void scan_tiles_as(const Scan& scan) {
  const Tiles tiles;
  RowBounds bounds = {};
  for (int64_t r = 0; r < scan.rows; r++) {
    const RowList& list = scan.lists[r];
    bounds.threshold[r] = list.threshold, bounds.norm[r] = list.norm, bounds.rounding[r] = list.rounding;
    // Lists were last written a group ago: their ends are fetched while the first block is multiplied.
    __builtin_prefetch(list.value + list.count, 1);
    __builtin_prefetch(list.column + list.count, 1);
  }
  Block block;
  __builtin_memset(block.masks, 0, sizeof block.masks);
  Sums* partial = reinterpret_cast<Sums*>(scan.partial);
  const int64_t steps = ceil_div(scan.operands->width, kTileInputs), panels = ceil_div(scan.columns, kBlock);
  const int64_t stretches = steps <= kStretch * 3 / 2 ? 1 : ceil_div(steps, kStretch);
  const int64_t stretch = ceil_div(steps, stretches);
  const char* strip = static_cast<const char*>(scan.strip);
  const auto finish = [&](int64_t step, int64_t rows_a_step, const PanelColumns& columns)
                          __attribute__((always_inline)) {
    const int64_t first = smaller(step * rows_a_step, scan.rows), last = smaller(first + rows_a_step, scan.rows);
    for (int64_t r = first; r < last; r++)
      block.masks[r] = passing(columns, by_column, bounds.threshold[r],
                               products_at<scouting>(columns, bounds, block, r));
  };
  for (int64_t first = 0; first < steps; first += stretch) {
    const int64_t count = smaller(stretch, steps - first), rows_a_step = ceil_div(scan.rows, count);
    const bool last = first + count == steps;
    for (int64_t p = 0; p < panels; p++) {
      const char* panel = static_cast<const char*>(scan.panels) + (p * steps + first) * kStepBytes;
      const Sums* before = first > 0 ? partial + p : nullptr;
      if (!last || p == 0) {
        multiply(strip + first * kStepBytes, panel, count, before, last ? block.sums : partial[p], [](int64_t) {}, [] {});
      } else {
        const PanelColumns columns = columns_at<scouting>(scan, block.at);
        multiply(strip + first * kStepBytes, panel, count, before, block.sums,
                 [&](int64_t step) { finish(step, rows_a_step, columns); },
                 [&] { take_all<scouting>(scan, columns, bounds, block); });
      }
      block.at = p * kBlock;
    }
  }
  const PanelColumns columns = columns_at<scouting>(scan, block.at);
  finish(0, scan.rows, columns);
  take_all<scouting>(scan, columns, bounds, block);
}

void scan_tiles(const Scan& scan) {
  if (scan.norm) scan.threshold ? scan_tiles_as<true, true>(scan) : scan_tiles_as<true, false>(scan);
  else scan.threshold ? scan_tiles_as<false, true>(scan) : scan_tiles_as<false, false>(scan);
}

constexpr EncodeProduct kEncodeTiles = {kBlock,          kBlock,             2,         kTileInputs, true,
                                        pack_rows_tiles, pack_columns_tiles, scan_tiles};

}  // namespace
}  // namespace monosem
