// The kernels for 64-bit ARM's NEON, which every such processor has: written for its 32 registers and its horizontal
// instructions, where the baseline has only what the compiler makes of plain vectors.
#define KERNELS_NAME "neon"
#define ENCODE kEncodeFp32
#define DENSE_BF16 kDenseFp32
#define CACHED_BF16 kCachedFp32
#if defined(__aarch64__)
#define USE_NEON
#include "../kernels/all.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* neon_kernels() { return &kKernels; }
}  // namespace monosem
#else
#include "../kernels/kernels.h"
namespace monosem {
const Kernels* neon_kernels() { return nullptr; }
}  // namespace monosem
#endif
