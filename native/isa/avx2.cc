// The kernels for AVX2 with FMA.
#define KERNELS_NAME "avx2"
#define ENCODE kEncodeFp32
#define DENSE_BF16 kDenseFp32
#define CACHED_BF16 kCachedFp32
#if defined(__AVX2__)
#include "../kernels/all.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* avx2_kernels() { return &kKernels; }
}  // namespace monosem
#else
#include "../kernels/kernels.h"
namespace monosem {
const Kernels* avx2_kernels() { return nullptr; }
}  // namespace monosem
#endif
