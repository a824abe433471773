#include "buffer.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace monosem {
namespace {

constexpr std::size_t kPage = 4096, kLargePage = std::size_t{1} << 21;
constexpr std::size_t kMostKept = std::size_t{256} << 20;

std::size_t whole_pages(std::size_t bytes) {
  const std::size_t page = bytes >= 2 * kLargePage ? kLargePage : kPage;
  return (std::max<std::size_t>(1, bytes) + page - 1) / page * page;
}

struct Kept {
  void* memory;
  std::size_t bytes;
};

// Never destroyed: threads may still give back while the process goes down.
struct Keeper {
  std::mutex mutex;
  std::vector<Kept> kept;  // oldest first
  std::size_t total = 0;

  void forget(std::vector<Kept>::iterator one) {
    total -= one->bytes;
    kept.erase(one);
  }
};

Keeper& keeper() {
  static Keeper* const instance = new Keeper;
  return *instance;
}

}  // namespace

void* allocate_bytes(std::size_t wanted) {
  const std::size_t bytes = whole_pages(wanted);
  const bool large = bytes % kLargePage == 0;
  void* memory = std::aligned_alloc(large ? kLargePage : kPage, bytes);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void* borrow_bytes(std::size_t wanted) {
  Keeper& k = keeper();
  {
    const std::lock_guard<std::mutex> lock(k.mutex);
    const std::size_t bytes = whole_pages(wanted);
    const auto same = std::find_if(k.kept.begin(), k.kept.end(), [&](const Kept& one) { return one.bytes == bytes; });
    if (same != k.kept.end()) {
      void* memory = same->memory;
      k.forget(same);
      return memory;
    }
  }
  return allocate_bytes(wanted);
}

void give_back(void* memory, std::size_t wanted) {
  Keeper& k = keeper();
  const std::lock_guard<std::mutex> lock(k.mutex);
  k.kept.push_back({memory, whole_pages(wanted)});
  k.total += k.kept.back().bytes;
  while (k.total > kMostKept) {
    std::free(k.kept.front().memory);
    k.forget(k.kept.begin());
  }
}

}  // namespace monosem
