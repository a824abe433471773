// The encoder's product with the processor's matrix tiles: see tile_blocks.inl for the layouts. While one block is
// multiplied the vector units compare the block before; without branches, as a wrong guess would leave the tiles idle.

namespace monosem {
namespace {

// What the comparison reads of a strip's rows: their thresholds and norms as in RowList, side by side.
struct alignas(64) RowBounds {
  float threshold[kBlock], norm[kBlock], rounding[kBlock];
};

void pack_rows_tiles(const float* x, int64_t rows, int64_t width, void* strip, float* norm, float* rounding) {
  pack_strip_tiles([&](int64_t r) { return x + r * width; }, rows, width, static_cast<char*>(strip));
  if (norm) row_norms(x, rows, width, norm, rounding);
}

void pack_columns_tiles(const EncodeOperands& operands, int64_t first, int64_t columns, void* panel, float* norm,
                        float* rounding) {
  pack_panel_tiles([&](int64_t c) { return column_of(operands, first + c); }, columns, operands.width,
                   static_cast<char*>(panel));
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
template <bool scouting, By by>
inline __attribute__((always_inline)) void take_all(const Scan& scan, const PanelColumns& columns, RowBounds& bounds,
                                                    const Block& block) {
  uint32_t rows = _mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks), _mm512_setzero_si512()) |
                  (uint32_t)_mm512_cmpneq_epi32_mask(_mm512_load_si512(block.masks + 16), _mm512_setzero_si512()) << 16;
  for (; rows; rows &= rows - 1) {
    const int64_t r = __builtin_ctz(rows);
    take<by>(scan, r, block.at, products_at<scouting>(columns, bounds, block, r), block.masks[r]);
    bounds.threshold[r] = scan.lists[r].threshold;
  }
}

// A long row is multiplied in stretches, each with all panels before the next: 16 KB of the strip then stay in the
// nearest cache while panels stream by.
constexpr int64_t kStretch = 8;

template <bool scouting, By by>
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
      block.masks[r] = passing<by>(columns, bounds.threshold[r], products_at<scouting>(columns, bounds, block, r));
  };
  for (int64_t first = 0; first < steps; first += stretch) {
    const int64_t count = smaller(stretch, steps - first), rows_a_step = ceil_div(scan.rows, count);
    const bool last = first + count == steps;
    for (int64_t p = 0; p < panels; p++) {
      const char* panel = static_cast<const char*>(scan.panels) + (p * steps + first) * kStepBytes;
      const Sums* before = first > 0 ? partial + p : nullptr;
      if (!last || p == 0) {
        Sums& out = last ? block.sums : partial[p];
        multiply(strip + first * kStepBytes, panel, count, before, out, [](int64_t) {}, [] {});
      } else {
        const PanelColumns columns = columns_at<scouting>(scan, block.at);
        multiply(strip + first * kStepBytes, panel, count, before, block.sums,
                 [&](int64_t step) { finish(step, rows_a_step, columns); },
                 [&] { take_all<scouting, by>(scan, columns, bounds, block); });
      }
      block.at = p * kBlock;
    }
  }
  const PanelColumns columns = columns_at<scouting>(scan, block.at);
  finish(0, scan.rows, columns);
  take_all<scouting, by>(scan, columns, bounds, block);
}

template <By by>
void scan_tiles_by(const Scan& scan) {
  if (scan.norm) scan_tiles_as<true, by>(scan);
  else scan_tiles_as<false, by>(scan);
}

void scan_tiles(const Scan& scan) {
  constexpr decltype(&scan_tiles) kBy[] = {scan_tiles_by<By::kRow>, scan_tiles_by<By::kColumn>,
                                           scan_tiles_by<By::kMagnitude>};
  kBy[static_cast<int>(compared(scan))](scan);
}

constexpr EncodeProduct kEncodeTiles = {kBlock,          kBlock,             2,         kTileInputs, true,
                                        pack_rows_tiles, pack_columns_tiles, scan_tiles};

}  // namespace
}  // namespace monosem
