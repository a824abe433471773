// The encoder's product with AVX-512's dot products of bfloat16 pairs. As encode.inl, with pairs in place of values.

namespace monosem {
namespace {

// `count` rows as pairs, interleaved as [pairs][width of the strip or panel].
template <int side, class Row>
void interleave_pairs(Row row, int64_t count, int64_t width, uint32_t* out) {
  const int64_t pairs = ceil_div(width, 2);
  for (int64_t r = 0; r < side; r++) {
    for (int64_t i = 0; i < width; i += 32) {
      uint32_t rounded[16] = {};
      if (r < count) _mm512_storeu_si512(rounded, round_pairs(row(r) + i, width - i));
      const int64_t left = smaller(16, pairs - i / 2);
      for (int64_t p = 0; p < left; p++) out[(i / 2 + p) * side + r] = rounded[p];
    }
  }
}

void pack_rows_pairs(const float* x, int64_t rows, int64_t width, void* strip, float* norm, float* rounding) {
  interleave_pairs<kStrip>([&](int64_t r) { return x + r * width; }, rows, width, static_cast<uint32_t*>(strip));
  if (norm) row_norms(x, rows, width, norm, rounding);
}

void pack_columns_pairs(const EncodeOperands& operands, int64_t first, int64_t columns, void* panel, float* norm,
                        float* rounding) {
  interleave_pairs<kPanel>([&](int64_t i) { return column_of(operands, first + i); }, columns, operands.width,
                           static_cast<uint32_t*>(panel));
  if (norm) column_norms(operands, first, columns, norm, rounding);
}

inline __attribute__((always_inline)) void tile_pairs(const uint32_t* strip, const uint32_t* panel, int64_t pairs,
                                                      __m512 c[TILE_ROWS][TILE_VECTORS]) {
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) c[r][j] = _mm512_setzero_ps();
  for (int64_t i = 0; i < pairs; i++) {
    __m512bh b[TILE_VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) b[j] = (__m512bh)_mm512_loadu_si512(panel + i * kPanel + j * 16);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
      const __m512bh a = (__m512bh)_mm512_set1_epi32((int)strip[i * kStrip + r]);
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) c[r][j] = _mm512_dpbf16_ps(c[r][j], a, b[j]);
    }
  }
}

template <bool scouting, By by>
void scan_pairs_as(const Scan& scan) {
  const int64_t pairs = ceil_div(scan.operands->width, 2);
  for (int64_t at = 0; at < scan.columns; at += kPanel) {
    __m512 c[TILE_ROWS][TILE_VECTORS];
    tile_pairs(static_cast<const uint32_t*>(scan.strip), static_cast<const uint32_t*>(scan.panels) + at * pairs, pairs,
               c);
    const PanelColumns columns = columns_at<scouting>(scan, at);
#pragma GCC unroll 1
    for (int64_t r = 0; r < scan.rows; r++) select<scouting, by>(scan, r, at, columns, (V)c[r][0], (V)c[r][1]);
  }
}

template <By by>
void scan_pairs_by(const Scan& scan) {
  if (scan.norm) scan_pairs_as<true, by>(scan);
  else scan_pairs_as<false, by>(scan);
}

void scan_pairs(const Scan& scan) {
  constexpr decltype(&scan_pairs) kBy[] = {scan_pairs_by<By::kRow>, scan_pairs_by<By::kColumn>,
                                           scan_pairs_by<By::kMagnitude>};
  kBy[static_cast<int>(compared(scan))](scan);
}

constexpr EncodeProduct kEncodePairs = {kStrip,          kPanel,             2,         2, true,
                                        pack_rows_pairs, pack_columns_pairs, scan_pairs};

}  // namespace
}  // namespace monosem
