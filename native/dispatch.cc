#include "operations.h"

namespace monosem {
namespace {

bool processor_has(const std::string& name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (name == "avx512bf16") return __builtin_cpu_supports("avx512bf16") && processor_has("avx512");
  if (name == "avx512") {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  }
  if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return name == "baseline";
}

const Kernels* find(const std::string& name) {
  if (!processor_has(name)) return nullptr;
  if (name == "avx512bf16") return avx512bf16_kernels();
  if (name == "avx512") return avx512_kernels();
  if (name == "avx2") return avx2_kernels();
  return baseline_kernels();
}

const Kernels* chosen = nullptr;

}  // namespace

bool choose_kernels(const std::string& name) {
  if (!name.empty()) {
    const Kernels* wanted = find(name);
    if (wanted) chosen = wanted;
    return wanted != nullptr;
  }
  for (const char* candidate : {"avx512bf16", "avx512", "avx2", "baseline"}) {
    if ((chosen = find(candidate))) return true;
  }
  return false;
}

const Kernels& kernels() {
  if (!chosen) choose_kernels("");
  return *chosen;
}

}  // namespace monosem
