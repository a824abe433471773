// The kernels for AVX-512 with AMX tiles of bfloat16.
#define KERNELS_NAME "amx"
#define ENCODE kEncodeTiles
#define DENSE_BF16 kDenseTiles
#define CACHED_BF16 kCachedPairs
#if defined(__AMX_BF16__)
#include "../kernels/all.inl"
#include "../kernels/rounding.inl"
#include "../kernels/tile_blocks.inl"
#include "../kernels/encode_tiles.inl"
#include "../kernels/tile_matmul.inl"
#include "../kernels/cache_pairs.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* amx_kernels() { return &kKernels; }
}  // namespace monosem
#else
#include "../kernels/kernels.h"
namespace monosem {
const Kernels* amx_kernels() { return nullptr; }
}  // namespace monosem
#endif
