// Memory for numbers that are about to be written: aligned to cache lines and pages, and not zeroed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace monosem {

template <class T>
using Buffer = std::unique_ptr<T[], decltype(&std::free)>;

template <class T>
Buffer<T> make_buffer(std::int64_t count) {
  constexpr std::size_t kHuge = std::size_t{1} << 21;
  const std::size_t wanted = std::max<std::size_t>(1, static_cast<std::size_t>(count) * sizeof(T));
  const std::size_t unit = wanted >= 2 * kHuge ? kHuge : 4096;
  const std::size_t bytes = (wanted + unit - 1) / unit * unit;
  void* memory = std::aligned_alloc(unit, bytes);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__)
  if (unit == kHuge) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return Buffer<T>(static_cast<T*>(memory), &std::free);
}

}  // namespace monosem
