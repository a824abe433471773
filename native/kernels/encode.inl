// The encoder's product in float32, each tile compared as it leaves the registers: rows x columns is never written.

namespace monosem {
namespace {

void pack_rows_fp32(const float* x, int64_t rows, int64_t width, void* strip, float*, float*) {
  pack_strips(x, width, rows, width, static_cast<float*>(strip));
}

void pack_columns_fp32(const EncodeOperands& operands, int64_t first, int64_t columns, void* panel, float*, float*) {
  const float* weight = operands.subset ? operands.weight : operands.weight + first * operands.width;
  pack_panel(weight, operands.subset ? operands.subset + first : nullptr, 0, columns, operands.width,
             static_cast<float*>(panel));
}

template <By by>
void scan_fp32_as(const Scan& scan) {
  const int64_t width = scan.operands->width;
  const float* panels = static_cast<const float*>(scan.panels);
  for (int64_t at = 0; at < scan.columns; at += kPanel) {
    V c[TILE_ROWS][TILE_VECTORS];
    tile(static_cast<const float*>(scan.strip), panels + at * width, width, c);
    const PanelColumns columns = columns_at<false>(scan, at);
#pragma GCC unroll 1
    for (int64_t r = 0; r < scan.rows; r++) select<false, by>(scan, r, at, columns, c[r][0], c[r][1]);
  }
}

void scan_fp32(const Scan& scan) {
  constexpr decltype(&scan_fp32) kBy[] = {scan_fp32_as<By::kRow>, scan_fp32_as<By::kColumn>,
                                          scan_fp32_as<By::kMagnitude>};
  kBy[static_cast<int>(compared(scan))](scan);
}

[[maybe_unused]] constexpr EncodeProduct kEncodeFp32 = {kStrip,         kPanel,            4,        1, false,
                                                        pack_rows_fp32, pack_columns_fp32, scan_fp32};

}  // namespace
}  // namespace monosem
