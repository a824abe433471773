// What every kernel file needs: the vectors of this instruction set and the shape of a tile.

#include "kernels.h"
#include "simd.h"

namespace monosem {
namespace {

constexpr int kPanel = LANES * TILE_VECTORS;
constexpr int kStrip = TILE_ROWS;

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace monosem
