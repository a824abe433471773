// Which instruction sets this processor has, and which of them was chosen.
#include "../operations/operations.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace monosem {
namespace {

// Linux gives a process the tiles' registers only when it asks: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
#if defined(__x86_64__)
bool tiles_permitted() {
#if defined(__linux__)
  static const bool permitted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
  return permitted;
#else
  return false;
#endif
}
#endif

bool processor_has(const std::string& name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (name == "amx") {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    constexpr unsigned kTile = 1u << 24, kBfloat16 = 1u << 22;
    return processor_has("avx512bf16") && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & kTile) &&
           (edx & kBfloat16) && tiles_permitted();
  }
  if (name == "avx512bf16") return __builtin_cpu_supports("avx512bf16") && processor_has("avx512");
  if (name == "avx512") {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  }
  if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#if defined(__aarch64__)
  if (name == "neon") return true;
#endif
  return name == "baseline";
}

const Kernels* find(const std::string& name) {
  if (!processor_has(name)) return nullptr;
  if (name == "amx") return amx_kernels();
  if (name == "avx512bf16") return avx512bf16_kernels();
  if (name == "avx512") return avx512_kernels();
  if (name == "avx2") return avx2_kernels();
  if (name == "neon") return neon_kernels();
  return baseline_kernels();
}

// AMD multiplies pairs of bfloat16 at twice the rate of float32, Intel (measured on a Xeon with AMX) at 0.6 times it.
bool pairs_are_fast() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

const Kernels* chosen = nullptr;

}  // namespace

bool choose_kernels(const std::string& name) {
  if (!name.empty()) {
    const Kernels* wanted = find(name);
    if (wanted) chosen = wanted;
    return wanted != nullptr;
  }
  for (const char* candidate : {"amx", "avx512bf16", "avx512", "avx2", "neon", "baseline"}) {
    if (std::string(candidate) == "avx512bf16" && !pairs_are_fast()) continue;
    if ((chosen = find(candidate))) return true;
  }
  return false;
}

const Kernels& kernels() {
  if (!chosen) choose_kernels("");
  return *chosen;
}

}  // namespace monosem
