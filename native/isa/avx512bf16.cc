// The kernels for AVX-512 with bfloat16 dot products.
#define KERNELS_NAME "avx512bf16"
#define ENCODE kEncodePairs
#define DENSE_BF16 kDensePairs
#define CACHED_BF16 kCachedPairs
#if defined(__AVX512BF16__)
#include "../kernels/all.inl"
#include "../kernels/rounding.inl"
#include "../kernels/encode_pairs.inl"
#include "../kernels/pair_matmul.inl"
#include "../kernels/cache_pairs.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* avx512bf16_kernels() { return &kKernels; }
}  // namespace monosem
#else
#include "../kernels/kernels.h"
namespace monosem {
const Kernels* avx512bf16_kernels() { return nullptr; }
}  // namespace monosem
#endif
