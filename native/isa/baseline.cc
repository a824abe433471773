// The kernels for whatever the compiler targets by default: what any processor of the kind can run.
#define KERNELS_NAME "baseline"
#define ENCODE kEncodeFp32
#define DENSE_BF16 kDenseFp32
#define CACHED_BF16 kCachedFp32
#include "../kernels/all.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* baseline_kernels() { return &kKernels; }
}  // namespace monosem
