// The kernels for AVX-512.
#define KERNELS_NAME "avx512"
#define ENCODE kEncodeFp32
#define DENSE_BF16 kDenseFp32
#define CACHED_BF16 kCachedFp32
#if defined(__AVX512F__)
#include "../kernels/all.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* avx512_kernels() { return &kKernels; }
}  // namespace monosem
#else
#include "../kernels/kernels.h"
namespace monosem {
const Kernels* avx512_kernels() { return nullptr; }
}  // namespace monosem
#endif
