// The kernels for whatever the compiler targets by default (SSE2, NEON).
#define KERNELS_NAME "baseline"
#define ENCODE encode
#define ENCODE_SCRATCH encode_scratch
#include "../kernels/all.inl"
#include "../kernels/table.inl"
namespace monosem {
const Kernels* baseline_kernels() { return &kKernels; }
}  // namespace monosem
