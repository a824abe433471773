// The kernels for AVX-512 with AMX tiles of bfloat16.
#define KERNELS_NAME "amx"
#define ENCODE encode_bf16
#define ENCODE_SCRATCH encode_scratch_bf16
#if defined(__AMX_BF16__)
#include "../kernels/all.inl"
#include "../kernels/scout.inl"
#include "../kernels/tiles.h"
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
